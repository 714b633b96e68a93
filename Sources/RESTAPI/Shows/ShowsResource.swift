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
    group.post("shows/{show_id}/cancel", use: cancel)
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

  private struct Cancelled: Encodable {
    let showID: ShowID
    let version: Int64

    private enum CodingKeys: String, CodingKey {
      case showID = "show_id"
      case version
    }
  }

  /// Ends the sale. Whoever has seats is refunded by the order process, which goes on after the answer.
  ///
  /// Needs no Idempotency-Key: a cancelled show stays cancelled, however often it is said.
  @Sendable
  private func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("show_id", ShowID.self)
    let body = try await request.jsonBody()
    let reason = try body.faults.finish(body["reason"].string(length: 1...500))
    let receipt = try await booking.cancelShow(id, reason: reason, context.command)
    return try .json(Cancelled(showID: id, version: receipt.version)).at(receipt.position)
  }
}
