import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport

/// Reads server-sent events over a socket of its own, as a browser does.
struct EventStreamClient {
  let port: Int

  struct Event: Sendable, Hashable {
    let id: Int64
    let data: JSON
  }

  /// What has come so far.
  struct Transcript: Sendable {
    var status: UInt = 0
    var headers: [String: String] = [:]
    var events: [Event] = []
    var comments: [String] = []
    fileprivate var rest: [UInt8] = []
  }

  /// Reads until `isEnough`, then closes the connection; fails loudly after 30 seconds.
  ///
  /// - Parameter onPart: called after each part with what has come, before `isEnough` is asked.
  @discardableResult
  func read(
    _ path: String, lastEventID: String? = nil,
    onPart: @escaping @Sendable (Transcript) async throws -> Void = { _ in },
    until isEnough: @escaping @Sendable (Transcript) -> Bool
  ) async throws -> Transcript {
    let seen = Shared(Transcript())
    return try await withThrowingTaskGroup(of: Transcript?.self) { group in
      group.addTask {
        try await stream(path, lastEventID: lastEventID) { part in
          let transcript = seen.update { transcript in
            transcript.add(part)
            return transcript
          }
          try await onPart(transcript)
          return isEnough(transcript)
        }
        return seen.value
      }
      group.addTask {
        try await Task.sleep(for: .seconds(30))
        return nil
      }
      defer { group.cancelAll() }
      guard let transcript = try await group.next() ?? nil else {
        throw NeverHappened(description: "\(path): not enough within 30 s; came: \(seen.value)")
      }
      return transcript
    }
  }

  /// Gives the answer's parts to `take` until it has enough or the server ends it.
  private func stream(
    _ path: String, lastEventID: String?,
    _ take: @escaping @Sendable (HTTPClientResponsePart) async throws -> Bool
  ) async throws {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "localhost", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
            wrappingChannelSynchronously: channel)
        }
      }
    try await channel.executeThenClose { inbound, outbound in
      var headers = HTTPHeaders([("Host", "localhost"), ("Accept", "text/event-stream")])
      if let lastEventID { headers.add(name: "Last-Event-ID", value: lastEventID) }
      try await outbound.write(
        .head(HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)))
      try await outbound.write(.end(nil))
      for try await part in inbound {
        if try await take(part) { return }
        if case .end = part { return }
      }
    }
  }
}

extension EventStreamClient.Transcript {
  fileprivate mutating func add(_ part: HTTPClientResponsePart) {
    switch part {
    case .head(let head):
      status = head.status.code
      headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    case .body(let bytes):
      rest += bytes.readableBytesView
      while let end = rest.firstRange(of: Array("\n\n".utf8)) {
        add(block: String(decoding: rest[..<end.lowerBound], as: UTF8.self))
        rest.removeSubrange(..<end.upperBound)
      }
    case .end: break
    }
  }

  private mutating func add(block: String) {
    var id: Int64?
    var data: JSON?
    for line in block.split(separator: "\n") {
      if line.hasPrefix("id: ") { id = Int64(line.dropFirst(4)) }
      if line.hasPrefix("data: ") { data = try? JSON(line.dropFirst(6).utf8) }
      if line.hasPrefix(":") { comments.append(String(line)) }
    }
    if let id, let data { events.append(.init(id: id, data: data)) }
  }
}
