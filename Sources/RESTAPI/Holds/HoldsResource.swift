import Booking
import Hummingbird
import Services
import Vocabulary

/// `/v1/shows/{show_id}/holds` and `/v1/holds`
struct HoldsResource: Sendable {
  let booking: BookingService
  let rooms: WaitingRooms
  let readModels: ReadModels
  let time: TimeSource
  let gate: ReadGate

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("shows/{show_id}/holds", use: hold)
    group.get("holds/{hold_id}", use: show)
    group.post("holds/{hold_id}/extend", use: extend)
    group.delete("holds/{hold_id}", use: release)
  }

  @Sendable
  private func hold(_ request: Request, _ context: APIContext) async throws -> Response {
    let show = try context.identifier("show_id", ShowID.self)
    let key = try request.idempotencyKey()
    let wanted = try HoldRequest(try await request.jsonBody())
    // An id that leaves no room for a hold's own part cannot be a show's.
    guard let id = HoldID.make(show: show, unique: key.uniqueID(of: "hold", in: show.rawValue)) else {
      throw Problem(ServiceError.bookingRejected(.showNotScheduled))
    }
    try await requireAdmission(request, to: show, buyer: wanted.buyer, for: id)
    let held: BookingService.HoldReceipt
    do throws(ServiceError) {
      held = try await booking.hold(id, show: show, buyer: wanted.buyer, seats: wanted.seats, context.command)
    } catch .bookingRejected(let rejection) {
      throw Problem(rejection).pointing(at: wanted, for: rejection)
    }
    return try .json(HoldBody(held.hold, of: show, at: time.now))
      .created(at: "/v1/holds/\(id)", replayed: !held.receipt.changed)
      .at(held.receipt.position)
  }

  /// Who repeats a request gets the hold that it made, also when the admission is over by now: the answer may have been
  /// lost.
  private func requireAdmission(
    _ request: Request, to show: ShowID, buyer: BuyerID, for id: HoldID
  ) async throws {
    do {
      try await rooms.requireAdmission(request.headers[.aisleAdmission], to: show, buyer: buyer)
    } catch WaitingRoomRefusal.admissionOver(let show) {
      guard try await readModels.hold(id)?.buyer == buyer else {
        throw WaitingRoomRefusal.admissionOver(show)
      }
    }
  }

  @Sendable
  private func show(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("hold_id", HoldID.self)
    guard let hold = try await gate.find(in: "shows", request, { try await readModels.hold(id) }) else {
      throw Problem.notFound("hold", id.rawValue)
    }
    return try .json(HoldBody(hold, at: time.now), unlessKnownBy: request)
  }

  /// Lets a hold live on. Its `expires_at` tells for how long: at the show's limit nothing changes.
  @Sendable
  private func extend(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("hold_id", HoldID.self)
    _ = try request.idempotencyKey()
    let extended: BookingService.HoldReceipt
    do throws(ServiceError) {
      extended = try await booking.extend(id, context.command)
    } catch .bookingRejected(.showNotScheduled) {
      throw Problem.notFound("hold", id.rawValue)
    }
    guard let show = id.show else { throw Problem.notFound("hold", id.rawValue) }
    return try .json(HoldBody(extended.hold, of: show, at: time.now)).at(extended.receipt.position)
  }

  /// Gives the seats back. Repeating it is fine; what is booked has to be cancelled as an order.
  @Sendable
  private func release(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("hold_id", HoldID.self)
    let released: BookingService.HoldReceipt
    do throws(ServiceError) {
      released = try await booking.release(id, reason: "released-by-buyer", context.command)
    } catch .bookingRejected(.showNotScheduled) {
      throw Problem.notFound("hold", id.rawValue)
    }
    return Response(status: .noContent).at(released.receipt.position)
  }
}
