import Booking
import Hummingbird
import Services
import Vocabulary

/// Tells who was refused because too much waits for a show how much that is, and when to come again.
struct ShowQueueMiddleware: RouterMiddleware {
  let booking: BookingService

  func handle(
    _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch ServiceError.overloaded(let reason) {
      guard let show = context.show, let pressure = await booking.pressure(on: show) else {
        throw ServiceError.overloaded(reason)
      }
      throw Problem.overloaded(reason, pressure)
    }
  }
}

extension Problem {
  /// - Parameter reason: what there is too much of.
  static func overloaded(_ reason: String, _ pressure: ShowPressure) -> Problem {
    let pace = pressure.perSecond.map { ". About \(Int($0.rounded())) a second are answered" } ?? ""
    return Problem(
      .serviceUnavailable, "overloaded",
      """
      \(reason)\(pace). Nothing was done; try again in \(pressure.retryAfter) seconds, with the same Idempotency-Key
      """
    ).retry(after: pressure.retryAfter)
  }
}

extension APIContext {
  /// The show that the path is about, by its own id or by that of a hold or an entry of the waiting list.
  fileprivate var show: ShowID? {
    if let show = try? identifier("show_id", ShowID.self) { return show }
    if let hold = try? identifier("hold_id", HoldID.self) { return hold.show }
    if let entry = try? identifier("waiting_id", WaitingID.self) { return entry.hold.show }
    return nil
  }
}
