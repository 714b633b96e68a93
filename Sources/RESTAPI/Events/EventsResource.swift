import EventStore
import Hummingbird
import Vocabulary

/// `/v1/events`: the whole log, in order.
struct EventsResource: Sendable {
  let store: EventStore
  let gate: ReadGate
  let streams: EventStreams

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("events", use: events)
    group.get("events/stream", use: stream)
  }

  /// A CloudEvents batch, which is a bare array; the way on is in the headers.
  @Sendable
  private func events(_ request: Request, _ context: APIContext) async throws -> Response {
    let query = Query(request)
    let (after, limit, categories, types) = try query.faults.finish(
      query.integer("after", 0...Int64.max, default: 0), query.limit(), query.names("category"),
      query.names("type"))
    let start = Position(after)
    try await gate.refuseBeyondEnd(start, .parameter("after"))
    let batch = try await store.read(
      after: start, EventFilter(categories: categories, types: types), limit: limit)

    var body: [UInt8] = [UInt8(ascii: "[")]
    for (index, event) in batch.events.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      body += try CloudEvent.json(of: event, tenant: store.tenant)
    }
    body.append(UInt8(ascii: "]"))
    var response = Response(bytes: body, type: .cloudEvents).at(batch.through)
    var next = "/v1/events?after=\(batch.through)&limit=\(limit)"
    if !categories.isEmpty { next += "&category=\(categories.joined(separator: ","))" }
    if !types.isEmpty { next += "&type=\(types.joined(separator: ","))" }
    response.headers[.link] = "<\(next)>; rel=\"next\""
    response.headers[.cacheControl] = "no-cache"
    return response
  }

  /// The same without end, as server-sent events; the id is the position.
  @Sendable
  private func stream(_ request: Request, _ context: APIContext) async throws -> Response {
    let query = Query(request)
    let (after, categories, types) = try query.faults.finish(
      query.integer("after", 0...Int64.max, default: 0), query.names("category"), query.names("type"))
    let start = Position(try request.lastEventID() ?? after)
    try await gate.refuseBeyondEnd(start, request.resumptionPlace)
    return try streams.response(
      to: request,
      LogFeed(
        tenant: store.tenant, filter: EventFilter(categories: categories, types: types), position: start))
  }
}

/// The log as server-sent events.
struct LogFeed: EventFeed {
  let tenant: TenantID
  let filter: EventFilter
  var position: Position

  mutating func next(from tail: EventTail) async throws -> [ServerSentEvent] {
    let batch = try await tail.next(after: position, filter)
    position = batch.through
    return try batch.events.map { event in
      ServerSentEvent(id: event.position.rawValue, data: try CloudEvent.json(of: event, tenant: tenant))
    }
  }
}
