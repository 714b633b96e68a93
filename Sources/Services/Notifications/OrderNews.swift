import Ordering
import Vocabulary

/// What somebody is told: an event of an order, and the order.
struct OrderNews: Sendable {
  let order: Ordering.OrderPlaced
  let event: Ordering.Event
  let recordedAt: Timestamp

  /// Which mail it is sent to: the buyer's or, of a ticket that was passed on, its new holder's. nil if none was given, or
  /// if whose it was has been forgotten.
  var recipient: EmailAddress? {
    var address = order.email
    if case .ticketTransferred(let fact) = event, let holder = fact.email { address = holder }
    return address.flatMap { EmailAddress($0.rawValue) }
  }
}
