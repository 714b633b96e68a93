import Booking
import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/shows`, but for the list of them, which is a report.
struct ShowsResource: Sendable {
  let booking: BookingService
  let readModels: ReadModels
  let gate: ReadGate

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("shows", use: schedule)
    group.get("shows/{show_id}", use: show)
  }

  @Sendable
  private func schedule(_ request: Request, _ context: APIContext) async throws -> Response {
    let key = try request.idempotencyKey()
    let body = try ShowRequest(try await request.jsonBody())
    let schedule = body.schedule(as: ShowID(unchecked: key.uniqueID(of: "show")))
    let receipt: BookingService.Receipt
    do throws(ServiceError) {
      receipt = try await booking.schedule(schedule, context.command)
    } catch .bookingRejected(.showAlreadyScheduled) {
      guard body.showID == nil else { throw Problem(Booking.Rejection.showAlreadyScheduled) }
      throw Problem.idReused("The show of this Idempotency-Key is scheduled with other details")
    } catch .bookingRejected(.invalidPlan(let problems)) {
      throw Problem(Booking.Rejection.invalidPlan(problems)).pointing(into: schedule.plan)
    }
    return try .json(ShowBody(schedule, version: receipt.version))
      .created(at: "/v1/shows/\(schedule.showID)", replayed: !receipt.changed)
      .at(receipt.position)
  }

  @Sendable
  private func show(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    guard let show = try await gate.find(in: "shows", request, { try await readModels.show(id) }) else {
      throw Problem.notFound("show", id.rawValue)
    }
    let tag = EntityTag.version(show.version)
    return request.has(tag) ? .notModified(tag) : try .json(ShowBody(show)).tagged(tag, for: request)
  }
}
