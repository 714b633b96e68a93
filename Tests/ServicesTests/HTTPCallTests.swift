import Foundation
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("Calls to other systems", .timeLimit(.minutes(1)))
struct HTTPCallTests {
  private static let request = ChargeRequest(
    id: PaymentID(unchecked: "p-1"), order: OrderID(unchecked: "o-1"), amount: Money(100, .eur), card: "card")

  @Test("an answer that begins and does not end is given up when the time of a call is over")
  func stalled() async throws {
    try await withTeasingServer { url, _ in
      let provider = HTTPPaymentProvider(
        name: "bank", url: url, secret: .random(), timeout: .milliseconds(500))
      let error = await #expect(throws: PaymentProviderError.self) {
        try await provider.charge(Self.request)
      }
      guard case .unreachable = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("a call ends with the task that makes it, also in the middle of an answer")
  func cancelled() async throws {
    try await withTeasingServer { url, answered in
      let provider = HTTPPaymentProvider(name: "bank", url: url, secret: .random(), timeout: .seconds(600))
      let call = Task { try await provider.charge(Self.request) }
      _ = try await eventually("the answer has begun") {
        await answered.isTrue
      } until: {
        $0
      }
      call.cancel()
      await #expect(throws: PaymentProviderError.self) { try await call.value }
    }
  }

  /// A server that says that all is well and has a byte to say about it, but not the others that it has promised.
  private func withTeasingServer(_ body: (URL, Flag) async throws -> Void) async throws {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    defer { close(server) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(server, pointer, length) == 0 && listen(server, 8) == 0
          && getsockname(server, pointer, &length) == 0
      }
    }
    try #require(isListening)
    let url = try #require(URL(string: "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"))
    let answered = Flag()
    let teasing = Task {
      var connections: [Int32] = []
      defer { for connection in connections { close(connection) } }
      while !Task.isCancelled {
        let connection = accept(server, nil, nil)
        if connection >= 0 {
          connections.append(connection)
          let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".utf8)
          _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
          await answered.set()
        }
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
    do {
      try await body(url, answered)
    } catch {
      teasing.cancel()
      throw error
    }
    teasing.cancel()
    await teasing.value
  }
}

private actor Flag {
  private(set) var isTrue = false
  func set() { isTrue = true }
}
