import Billing
import EventStore
import Vocabulary

/// A credit note that was issued.
public struct IssuedCreditNote: Sendable, Hashable, Codable {
  public struct Line: Sendable, Hashable, Codable {
    /// Which line of the invoice.
    public let position: Position
    public let lineNumber: Int
    public let orderID: OrderID
    public let seat: SeatID
    public let amount: Money
    public let tax: Money
    public let taxRateBasisPoints: Int

    private enum CodingKeys: String, CodingKey {
      case position
      case lineNumber = "line_no"
      case orderID = "order_id"
      case seat, amount, tax
      case taxRateBasisPoints = "tax_rate_bp"
    }
  }

  public let creditNoteNumber: DocumentNumber
  public let accountID: AccountID
  /// The invoice that it corrects.
  public let corrects: DocumentNumber
  public let month: Month
  public let currency: Currency
  public let reason: String
  /// What is given back, tax included.
  public let gross: Money
  public let tax: Money
  public let net: Money
  public let lines: [Line]
  public let issuedAt: Timestamp
  /// Of its event.
  public let position: Position

  private enum CodingKeys: String, CodingKey {
    case creditNoteNumber = "credit_note_number"
    case accountID = "account_id"
    case corrects, month, currency, reason, gross, tax, net, lines
    case issuedAt = "issued_at"
    case position
  }

  init(_ fact: Billing.CreditNote, at position: Position) {
    func money(_ minorUnits: Int64) -> Money { Money(minorUnits, fact.currency) }
    creditNoteNumber = fact.number
    accountID = fact.accountID
    corrects = fact.corrects
    month = fact.month
    currency = fact.currency
    reason = fact.reason
    gross = money(fact.gross)
    tax = money(fact.tax)
    net = money(fact.gross - fact.tax)
    lines = fact.lines.map { line in
      Line(
        position: Position(line.position), lineNumber: line.lineNumber, orderID: line.orderID,
        seat: line.seat,
        amount: money(line.amount), tax: money(line.tax), taxRateBasisPoints: line.taxRateBasisPoints)
    }
    issuedAt = fact.issuedAt
    self.position = position
  }
}

extension BillingService {
  /// The credit notes of an account in the order in which they were issued, after a position of the log; at most `limit`, and
  /// never more than ``maximumPage``.
  public func creditNotes(
    of account: AccountID, after position: Position = .start, limit: Int = 100
  ) async throws(ServiceError) -> [IssuedCreditNote] {
    do {
      let events = try await store.readAll(
        after: position, tags: [BillTags.creditNotes(of: account)],
        limit: min(max(1, limit), Self.maximumPage + 1))
      if events.isEmpty, position == .start { try await requireAccount(account) }
      return try events.compactMap(IssuedCreditNote.init)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// - Throws: ``ServiceError/notFound(kind:id:)`` if the account has no credit note of that number.
  public func creditNote(
    _ number: DocumentNumber, of account: AccountID
  ) async throws(ServiceError) -> IssuedCreditNote {
    do {
      let numbered = try await store.read(
        .numbers(number.series, year: number.year), from: number.ordinal, limit: 1)
      // Its event stands before that of its number, in the same append.
      if number.series == .creditNote, let event = numbered.first, event.position.rawValue > 1 {
        let before = try await store.read(at: [Position(event.position.rawValue - 1)])
        if let note = try before.first.flatMap(IssuedCreditNote.init), note.creditNoteNumber == number,
          note.accountID == account
        {
          return note
        }
      }
    } catch {
      throw ServiceError(reading: error)
    }
    throw .notFound(kind: "credit-note", id: "\(number) of account \(account)")
  }
}

extension IssuedCreditNote {
  /// nil if the event is another one.
  fileprivate init?(_ event: RecordedEvent) throws {
    guard case .creditNoteIssued(let fact) = try event.decode(as: Billing.Event.self) else { return nil }
    self.init(fact, at: event.position)
  }
}
