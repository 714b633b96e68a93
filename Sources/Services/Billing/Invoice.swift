import Billing
import EventStore
import PostgreSQL
import Vocabulary

/// A bill whose month is closed. It never changes.
public struct Invoice: Sendable, Hashable, Codable {
  public let invoiceNumber: DocumentNumber
  public let accountID: AccountID
  public let month: Month
  public let currency: Currency
  /// The figures of the bill; see ``Bill``.
  public let gross: Money
  public let tax: Money
  public let refunds: Money
  public let net: Money
  public let due: Money
  public let lines: Int
  /// Of the lines in order.
  public let digest: String
  public let timeZone: String
  /// Everything up to this position of the log is in.
  public let throughPosition: Position
  public let closedAt: Timestamp
  /// Of `month-closed`, the event that made it an invoice.
  public let position: Position

  private enum CodingKeys: String, CodingKey {
    case invoiceNumber = "invoice_number"
    case accountID = "account_id"
    case month, currency, gross, tax, refunds, net, due, lines, digest
    case timeZone = "time_zone"
    case throughPosition = "through_position"
    case closedAt = "closed_at"
    case position
  }

  init(_ fact: Billing.MonthClosed, at position: Position) {
    let currency = fact.currency
    invoiceNumber = fact.invoiceNumber
    accountID = fact.accountID
    month = fact.month
    self.currency = currency
    gross = Money(fact.gross, currency)
    tax = Money(fact.tax, currency)
    refunds = Money(fact.refunds, currency)
    net = Money(fact.net, currency)
    due = Money(fact.due, currency)
    lines = fact.lines
    digest = fact.digest
    timeZone = fact.timeZone
    throughPosition = Position(fact.throughPosition)
    closedAt = fact.closedAt
    self.position = position
  }
}

extension BillingService {
  /// The invoices of an account in the order in which they were issued, after a position of the log; at most `limit`, and
  /// never more than ``maximumPage``. From the log itself, so they never lag.
  public func invoices(
    of account: AccountID, after position: Position = .start, limit: Int = 100
  ) async throws(ServiceError) -> [Invoice] {
    do {
      let events = try await store.readAll(
        after: position, tags: [BillTags.account(account)], limit: min(max(1, limit), Self.maximumPage + 1))
      let invoices = try events.compactMap(Invoice.init)
      if invoices.isEmpty, position == .start { try await requireAccount(account) }
      return invoices
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// - Throws: ``ServiceError/notFound(kind:id:)`` if the account has no invoice of that number.
  public func invoice(
    _ number: DocumentNumber, of account: AccountID
  ) async throws(ServiceError) -> Invoice {
    do {
      // The n-th event of the series is the number n.
      let numbered = try await store.read(
        .numbers(number.series, year: number.year), from: number.ordinal, limit: 1)
      let assigned = try numbered.first?.decode(as: NumberAssigned.self)
      if let assigned, assigned.number == number, assigned.accountID == account {
        let tag = BillTags.bill(assigned.month, assigned.currency, account)
        let events = try await store.readAll(after: .start, tags: [tag], limit: 1)
        if let invoice = try events.first.flatMap(Invoice.init) { return invoice }
      }
    } catch {
      throw ServiceError(reading: error)
    }
    throw .notFound(kind: "invoice", id: "\(number) of account \(account)")
  }
}

extension Invoice {
  /// nil if the event is another one.
  fileprivate init?(_ event: RecordedEvent) throws {
    guard case .monthClosed(let fact) = try event.decode(as: Billing.Event.self) else { return nil }
    self.init(fact, at: event.position)
  }
}

/// The tags of `month-closed` and `credit-note-issued`, by which SQL and services find them.
enum BillTags {
  static func account(_ id: AccountID) -> String { "month-closed:\(id)" }
  static func credits(of invoice: DocumentNumber) -> String { "credits:\(invoice)" }
  static func creditNotes(of account: AccountID) -> String { "credit-notes:\(account)" }
  static func month(_ month: Month) -> String { "closed-month:\(month)" }
  static func bill(_ month: Month, _ currency: Currency, _ account: AccountID) -> String {
    "closed-bill:\(month):\(currency):\(account)"
  }
}
