import Billing
import EventStore
import Ordering
import Vocabulary

extension Billing.JournalEntry {
  /// Categories and types of the events that post something.
  static let categories = [Billing.Event.category, Ordering.Event.category]
  static let types =
    [Billing.Event.Kind.charged, .refunded, .creditNoteIssued].map(\.rawValue)
    + [
      Ordering.Event.Kind.paymentReceived, .refundRequested, .refundSettled, .orderSeatsCancelled,
      .orderCancelled,
    ].map(\.rawValue)

  /// What an event posts; nil if it posts nothing.
  init?(_ event: RecordedEvent) throws {
    switch event.stream.category {
    case Billing.Event.category: try self.init(event, try event.decode(as: Billing.Event.self))
    case Ordering.Event.category: try self.init(event, try event.decode(as: Ordering.Event.self))
    default: return nil
    }
  }

  private init?(_ event: RecordedEvent, _ fact: Billing.Event) throws {
    func entry(_ narration: String, _ entry: Billing.Entry) throws -> Self {
      try Self(
        position: event.position.rawValue, occurredAt: entry.occurredAt, narration: narration,
        orderID: entry.orderID,
        accountID: entry.accountID, currency: entry.currency, postings: entry.postings)
    }
    switch fact {
    case .charged(let fact): self = try entry("charge", fact)
    case .refunded(let fact): self = try entry("refund", fact)
    case .creditNoteIssued(let note):
      self = try Self(
        position: event.position.rawValue, occurredAt: note.issuedAt, narration: "credit note \(note.number)",
        accountID: note.accountID, currency: note.currency, postings: note.postings)
    case .accountOpened, .accountZoneChanged, .monthClosed: return nil
    }
  }

  private init?(_ event: RecordedEvent, _ fact: Ordering.Event) throws {
    func entry(
      _ narration: String, _ order: OrderID, _ at: Timestamp, _ currency: Currency,
      _ postings: [Billing.Posting]
    ) throws -> Self {
      try Self(
        position: event.position.rawValue, occurredAt: at, narration: narration, orderID: order,
        currency: currency,
        postings: postings)
    }
    func fee(_ fee: Money?, _ lines: [Ordering.Line], _ order: OrderID, _ at: Timestamp) throws -> Self? {
      guard let fee, fee.minorUnits > 0, let rate = lines.first?.taxRateBasisPoints else { return nil }
      return try entry("cancellation fee", order, at, fee.currency, .kept(fee, taxRateBasisPoints: rate))
    }
    switch fact {
    case .paymentReceived(let fact):
      let (money, order) = (fact.amount, fact.orderID)
      self = try entry(
        "payment received", order, fact.receivedAt, money.currency, .received(money.minorUnits))
    case .refundRequested(let fact):
      let (money, order) = (fact.amount, fact.orderID)
      self = try entry("refund due", order, fact.requestedAt, money.currency, .refundDue(money.minorUnits))
    case .refundSettled(let fact):
      let (money, order) = (fact.amount, fact.orderID)
      self = try entry(
        "refund settled", order, fact.settledAt, money.currency, .refundSettled(money.minorUnits))
    case .orderSeatsCancelled(let fact):
      guard let entry = try fee(fact.fee, fact.lines, fact.orderID, fact.occurredAt) else { return nil }
      self = entry
    case .orderCancelled(let fact):
      guard let entry = try fee(fact.fee, fact.lines, fact.orderID, fact.occurredAt) else { return nil }
      self = entry
    case .orderPlaced, .orderConfirmed, .orderFailed, .paymentRequested, .paymentDeclined,
      .cancellationQuoted,
      .ticketCheckedIn, .ticketTransferred:
      return nil
    }
  }
}
