import Booking
import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/shows/{show_id}/seats` and the live changes of it.
struct SeatsResource: Sendable {
  let readModels: ReadModels
  let time: TimeSource
  let gate: ReadGate
  let streams: EventStreams

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("shows/{show_id}/seats", use: seats)
    group.get("shows/{show_id}/stream", use: stream)
  }

  /// Only the seats that somebody has; the others are free.
  @Sendable
  private func seats(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    let now = time.now
    let found = try await gate.find(in: "shows", request) {
      try await readModels.seatMapState(of: id, at: now)
    }
    guard let state = found else { throw Problem.notFound("show", id.rawValue) }
    // A poll of an unchanged map costs one row.
    if request.has(state.tag) { return .notModified(state.tag) }
    guard let map = try await readModels.seatMap(of: id, at: now) else {
      throw Problem.notFound("show", id.rawValue)
    }
    return try .json(SeatMapBody(map, of: id)).tagged(map.state.tag, for: request)
  }

  /// Server-sent events, one for each change of seats; the id is the version of the show.
  @Sendable
  private func stream(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    let query = Query(request)
    let after = try query.faults.finish(query.integer("after", 0...Int64.max, default: 0))
    let version = try request.lastEventID() ?? after
    let show = try await gate.find(in: "shows", request) { try await readModels.show(id) }
    guard let show else { throw Problem.notFound("show", id.rawValue) }
    guard version <= max(show.version, try await gate.store.version(of: .show(id))) else {
      throw Problem.invalidRequest(
        request.resumptionPlace, "is \(version), but the show is at version \(show.version)")
    }
    return try streams.response(to: request, ShowFeed(store: gate.store, show: id, version: version))
  }
}

extension SeatMapState {
  /// At one version only holds can lapse, one after the other, so their number says which map it is.
  var tag: EntityTag {
    lapsedHolds == 0 ? .version(version) : EntityTag("\(version)+\(lapsedHolds)")
  }
}

struct SeatMapBody: Encodable {
  let showID: ShowID
  let version: Int64
  let total: Int
  let available: Int
  let held: Int
  let booked: Int
  let seats: [Seat]

  struct Seat: Encodable {
    let seat: SeatID
    let state: TakenSeat.State
  }

  private enum CodingKeys: String, CodingKey {
    case showID = "show_id"
    case version, total, available, held, booked, seats
  }

  init(_ map: SeatMap, of show: ShowID) {
    showID = show
    version = map.state.version
    total = map.total
    held = map.taken.count { $0.state == .held }
    booked = map.taken.count - held
    available = total - map.taken.count
    // Whose they are is nobody's business: who knows a hold's id can release it.
    seats = map.taken.map { Seat(seat: $0.seat, state: $0.state) }
  }
}
