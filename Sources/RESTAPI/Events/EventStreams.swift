import EventStore
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// What a stream of server-sent events is made of.
protocol EventFeed: Sendable {
  /// How far the log has been looked through.
  var position: Position { get }
  /// What there is beyond that by now; nothing if there is nothing.
  mutating func next(from tail: EventTail) async throws -> [ServerSentEvent]
}

/// One server-sent event. Its id is where a client resumes.
struct ServerSentEvent: Sendable {
  let id: Int64
  /// JSON in one line.
  let data: [UInt8]

  func write(to buffer: inout ByteBuffer) {
    buffer.writeString("id: \(id)\ndata: ")
    buffer.writeBytes(data)
    buffer.writeString("\n\n")
  }
}

/// Serves feeds as `text/event-stream`, each until its client goes or the server shuts down.
///
/// A stream reads on only when the client has taken what was written: a slow client holds one batch of events, and
/// falls back to reading the database.
final class EventStreams: Sendable {
  private let tail: EventTail
  private let watcher: LogWatcher
  private let heartbeat: Duration
  private let maximum: Int
  private let count = Mutex(0)

  init(tail: EventTail, watcher: LogWatcher, heartbeat: Duration, maximum: Int) {
    self.tail = tail
    self.watcher = watcher
    self.heartbeat = heartbeat
    self.maximum = maximum
  }

  /// How many are open.
  var open: Int { count.withLock { $0 } }

  func response(to request: Request, _ feed: some EventFeed) throws(Problem) -> Response {
    guard open < maximum else {
      throw Problem(
        .serviceUnavailable, "too-many-streams", "\(maximum) event streams are open; try again later"
      )
      .retry(after: 10)
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: MediaType.eventStream.rawValue, .cacheControl: "no-cache, no-transform",
        // Proxies must not collect the events.
        .accelBuffering: "no",
      ],
      body: ResponseBody { [self] writer in
        count.withLock { $0 += 1 }
        defer { count.withLock { $0 -= 1 } }
        try await serve(feed, to: &writer, of: request)
        try await writer.finish(nil)
      })
  }

  /// Returns when the client has gone or the server shuts down.
  private func serve(
    _ feed: some EventFeed, to writer: inout any ResponseBodyWriter, of request: Request
  ) async throws {
    // Only the first child task writes, and nobody else does before it has ended.
    nonisolated(unsafe) var sink = writer
    let (closed, closing) = AsyncStream<Void>.makeStream()
    try await request.body.consumeWithInboundCloseHandler { _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.send(feed, to: &sink) }
        group.addTask { for await _ in closed {} }
        group.addTask { try await gracefulShutdown() }
        defer { group.cancelAll() }
        try await group.next()
      }
    } onInboundClosed: {
      closing.finish()
    }
  }

  private func send(_ feed: some EventFeed, to writer: inout any ResponseBodyWriter) async throws {
    var feed = feed
    // At once, so that the client sees the headers; and how long it should wait before it comes back.
    try await writer.write(ByteBuffer(string: "retry: 1000\n: Aisle\n\n"))
    var lastWrite = ContinuousClock.now
    while !Task.isCancelled {
      let before = feed.position
      let events = try await feed.next(from: tail)
      if !events.isEmpty {
        var buffer = ByteBuffer()
        for event in events { event.write(to: &buffer) }
        try await writer.write(buffer)
        lastWrite = .now
      } else if .now - lastWrite >= heartbeat {
        try await writer.write(ByteBuffer(string: ": \(feed.position)\n\n"))
        lastWrite = .now
      }
      // Returns within a second, whatever happens.
      if feed.position == before { await watcher.wait(beyond: before) }
    }
  }
}

extension Request {
  /// Where a client resumes a stream; this wins over the query, which a reconnecting browser sends unchanged.
  func lastEventID() throws(Problem) -> Int64? {
    guard let text = headers[.lastEventID] else { return nil }
    guard let id = Int64(text), id >= 0 else {
      throw .invalidRequest(
        .header("Last-Event-ID"), "is \"\(text.prefix(40))\"; it must be the id of an event of this stream")
    }
    return id
  }

  var resumptionPlace: Fault.Place {
    headers[.lastEventID] == nil ? .parameter("after") : .header("Last-Event-ID")
  }
}
