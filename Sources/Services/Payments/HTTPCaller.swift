import AsyncHTTPClient
import Foundation
import NIOCore

/// Speaks to other systems. Nothing is kept between calls but connections: no cookies, no cache.
struct HTTPCaller: Sendable {
  /// Most bytes of an answer that are read.
  static let maximumAnswer = 1 << 20

  struct Answer: Sendable {
    let status: Int
    let body: [UInt8]
  }

  struct TimedOut: Error, CustomStringConvertible {
    let timeout: Duration
    var description: String { "there was no whole answer within \(timeout)" }
  }

  /// Of a whole exchange, to the last byte of the answer.
  let timeout: Duration

  /// The answer, whatever its status is.
  func send(
    _ method: String, _ url: URL, headers: [String: String], _ body: [UInt8]?
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = .init(rawValue: method)
    request.headers.add(name: "Content-Type", value: "application/json")
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(body) }
    return try await withThrowingTaskGroup(of: Answer.self) { [request] group in
      group.addTask { try await exchange(request) }
      // The client's own deadline ends with the first line of an answer.
      group.addTask {
        try await Task.sleep(for: timeout)
        throw TimedOut(timeout: timeout)
      }
      defer { group.cancelAll() }
      guard let answer = try await group.next() else { throw TimedOut(timeout: timeout) }
      return answer
    }
  }

  private func exchange(_ request: HTTPClientRequest) async throws -> Answer {
    // Not URLSession: cancelling one of its calls waits for a queue, and can stop every thread of the pool for good.
    let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(timeout))
    var body: [UInt8] = []
    for try await part in response.body {
      body += part.readableBytesView
      if body.count >= Self.maximumAnswer { break }
    }
    // A body whose reader was cancelled ends as if it were complete.
    try Task.checkCancellation()
    return Answer(status: Int(response.status.code), body: body)
  }
}
