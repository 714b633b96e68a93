import Booking
import EventStore
import Hummingbird
import Services
import Vocabulary

/// The house of a show: what never changes (`chart`), what changes (`availability`), both as a picture, and the
/// examination of a plan before it is used.
struct ChartResource: Sendable {
  let readModels: ReadModels
  let time: TimeSource
  let gate: ReadGate

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("shows/{show_id}/chart", use: chart)
    group.get("shows/{show_id}/availability", use: availability)
    group.get("shows/{show_id}/plan.svg", use: picture)
    group.post("plans/check", use: check)
  }

  /// From the first event of the show's stream, so it is the same for ever.
  @Sendable
  private func chart(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    guard let show = try await gate.store.scheduledShow(id) else {
      throw Problem.notFound("show", id.rawValue)
    }
    // A show is scheduled once; its id says which chart it is.
    let tag = EntityTag("chart")
    var response: Response = request.has(tag) ? .notModified(tag) : try .json(ChartBody(show))
    response.headers[.eTag] = tag.description
    response.headers[.cacheControl] = "public, max-age=31536000, immutable"
    return response
  }

  @Sendable
  private func availability(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    let (tag, map) = try await map(of: id, request)
    guard let map else { return .notModified(tag) }
    let body = AvailabilityBody(
      showID: id, version: map.state.version, total: map.total, available: map.total - map.taken.count,
      seats: SortedObject(
        Dictionary(
          map.taken.map { ($0.seat.rawValue, $0.state == .held ? .held : .booked) },
          uniquingKeysWith: { first, _ in first })))
    return try .json(body).tagged(tag, for: request)
  }

  @Sendable
  private func picture(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    let (tag, map) = try await map(of: id, request)
    guard let map else { return .notModified(tag) }
    guard let show = try await gate.store.scheduledShow(id) else {
      throw Problem.notFound("show", id.rawValue)
    }
    let taken = Dictionary(map.taken.map { ($0.seat, $0.state) }, uniquingKeysWith: { first, _ in first })
    let picture = PlanPicture(show.plan, title: show.title, currency: show.currency, taken: taken)
    return Response(bytes: picture.svg.utf8, type: .svg).tagged(tag, for: request)
  }

  /// Without a map if the client has it already; then only one row was read.
  private func map(of id: ShowID, _ request: Request) async throws -> (tag: EntityTag, map: SeatMap?) {
    let now = time.now
    let found = try await gate.find(in: "shows", request) {
      try await readModels.seatMapState(of: id, at: now)
    }
    guard let state = found else { throw Problem.notFound("show", id.rawValue) }
    if request.has(state.tag) { return (state.tag, nil) }
    guard let map = try await readModels.seatMap(of: id, at: now) else {
      throw Problem.notFound("show", id.rawValue)
    }
    return (map.state.tag, map)
  }

  /// Changes nothing, so it needs no Idempotency-Key.
  @Sendable
  private func check(_ request: Request, _ context: APIContext) async throws -> Response {
    try .json(PlanCheck(try await request.jsonBody()))
  }
}
