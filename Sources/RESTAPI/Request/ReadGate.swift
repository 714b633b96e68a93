import EventStore
import HTTPTypes
import Hummingbird
import Vocabulary

/// Lets reads of the read models see what the client has written, although read models lag by milliseconds.
///
/// A client may send the `X-Aisle-Position` of an answer back as `X-Aisle-Min-Position`; the read then waits. And
/// "there is no such thing" is said only by a read model that has reached the end of the log.
struct ReadGate: Sendable {
  let store: EventStore
  /// How long a read waits for its read model.
  var patience: Duration = .seconds(5)

  /// Waits until a subscription's tables contain what the client demands.
  func pass(_ request: Request, for subscription: String) async throws {
    guard let text = request.headers[.aisleMinPosition] else { return }
    guard let number = Int64(text), number >= 0 else {
      throw Problem.invalidRequest(
        .header("X-Aisle-Min-Position"),
        "is \"\(text.prefix(40))\"; it must be a position of the log, 0 or more")
    }
    let wanted = Position(number)
    if try await store.checkpoint(of: subscription) >= wanted { return }
    try await refuseBeyondEnd(wanted, .header("X-Aisle-Min-Position"))
    try await store.wait(for: subscription, toReach: wanted, timeout: patience)
  }

  /// Looks something up, and once more in up-to-date tables if it is not there.
  func find<Found: Sendable>(
    in subscription: String, _ request: Request, _ lookUp: () async throws -> Found?
  ) async throws -> Found? {
    try await pass(request, for: subscription)
    if let found = try await lookUp() { return found }
    let head = try await store.head()
    try await store.wait(for: subscription, toReach: head, timeout: patience)
    return try await lookUp()
  }

  /// A position that the log has not reached is another log's, or a slip: waiting for it would be silence.
  func refuseBeyondEnd(_ position: Position, _ place: Fault.Place) async throws {
    let head = try await store.head()
    guard position <= head else {
      throw Problem.invalidRequest(place, "is \(position), beyond the end of the log, which is \(head)")
    }
  }
}
