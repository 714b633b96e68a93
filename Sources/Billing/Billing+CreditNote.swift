import Vocabulary

extension Billing {
  /// Some of what an invoice charges is not owed any more. The invoice itself never changes.
  ///
  /// A document of its own, in no bill: the account owes what its invoices say, less what its credit notes say. Amounts are
  /// positive minor units of `currency`; only the postings are signed.
  public struct CreditNote: Sendable, Hashable, Codable {
    public struct Line: Sendable, Hashable, Codable {
      /// Which line of the invoice: the position of its order event, and its number in there.
      public let position: Int64
      public let lineNumber: Int
      public let orderID: OrderID
      public let seat: SeatID
      /// Tax included.
      public let amount: Int64
      /// The part of `amount` that is tax.
      public let tax: Int64
      public let taxRateBasisPoints: Int

      private enum CodingKeys: String, CodingKey {
        case position
        case lineNumber = "line_no"
        case orderID = "order_id"
        case seat, amount, tax
        case taxRateBasisPoints = "tax_rate_bp"
      }
    }

    public let accountID: AccountID
    public let number: DocumentNumber
    /// The invoice that it corrects, and the month of that.
    public let corrects: DocumentNumber
    public let month: Month
    public let currency: Currency
    /// In words; it must not name a person, for it is kept as long as the log.
    public let reason: String
    public let lines: [Line]
    public let gross: Int64
    public let tax: Int64
    public let issuedAt: Timestamp
    /// What goes into the ledger; it adds up to zero.
    public let postings: [Posting]

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case number, corrects, month, currency, reason, lines, gross, tax
      case issuedAt = "issued_at"
      case postings
    }
  }

  /// A line of an invoice, with what has become of it.
  public struct CreditableLine: Sendable, Hashable {
    public var position: Int64
    public var lineNumber: Int
    public var orderID: OrderID
    public var seat: SeatID
    /// What was charged, tax included.
    public var amount: Int64
    public var taxRateBasisPoints: Int
    /// What credit notes have given back of it before.
    public var credited: Int64
    /// What was refunded of it, on whichever bill: nothing is given back twice.
    public var refunded: Int64

    public init(
      position: Int64, lineNumber: Int, orderID: OrderID, seat: SeatID, amount: Int64,
      taxRateBasisPoints: Int,
      credited: Int64 = 0, refunded: Int64 = 0
    ) {
      self.position = position
      self.lineNumber = lineNumber
      self.orderID = orderID
      self.seat = seat
      self.amount = amount
      self.taxRateBasisPoints = taxRateBasisPoints
      self.credited = credited
      self.refunded = refunded
    }

    /// What can still be given back; never negative.
    var left: Int64 { max(0, amount - credited - refunded) }
  }

  /// What is to be given back of one line.
  public struct CreditedAmount: Sendable, Hashable {
    public var position: Int64
    public var lineNumber: Int
    public var amount: Int64

    public init(position: Int64, lineNumber: Int, amount: Int64) {
      self.position = position
      self.lineNumber = lineNumber
      self.amount = amount
    }
  }

  /// The invoice that a credit note corrects.
  public struct CreditableInvoice: Sendable, Hashable {
    public var number: DocumentNumber
    public var accountID: AccountID
    public var month: Month
    public var currency: Currency
    public var lines: [CreditableLine]

    public init(
      number: DocumentNumber, accountID: AccountID, month: Month, currency: Currency, lines: [CreditableLine]
    ) {
      self.number = number
      self.accountID = accountID
      self.month = month
      self.currency = currency
      self.lines = lines
    }
  }

  /// Gives back some amounts of an invoice's lines, or all that is left of them if none are named.
  ///
  /// The tax of what is given back is that of all that has been by now less that of what was before, each rounded half to even:
  /// a line that is given back bit by bit gives back exactly its tax.
  public static func credit(
    _ amounts: [CreditedAmount]?, of invoice: CreditableInvoice, because reason: String,
    as number: DocumentNumber,
    at now: Timestamp
  ) throws(Rejection) -> CreditNote {
    guard (1...200).contains(reason.count) else { throw .invalidReason(length: reason.count) }
    let chosen: [(line: CreditableLine, amount: Int64)]
    if let amounts {
      chosen = try choose(amounts, from: invoice)
    } else {
      chosen = invoice.lines.filter { $0.left > 0 }.map { ($0, $0.left) }
    }
    guard !chosen.isEmpty else { throw .nothingToCredit(invoice.number) }
    var gross = Money.zero(invoice.currency)
    var tax = Money.zero(invoice.currency)
    var lines: [CreditNote.Line] = []
    for (line, amount) in chosen {
      func taxed(_ amount: Int64) throws(MoneyError) -> Money {
        try Money(amount, invoice.currency).taxIncluded(basisPoints: line.taxRateBasisPoints)
      }
      do throws(MoneyError) {
        let part = try taxed(line.credited + amount).subtracting(taxed(line.credited))
        gross = try gross.adding(Money(amount, invoice.currency))
        tax = try tax.adding(part)
        lines.append(
          CreditNote.Line(
            position: line.position, lineNumber: line.lineNumber, orderID: line.orderID, seat: line.seat,
            amount: amount, tax: part.minorUnits, taxRateBasisPoints: line.taxRateBasisPoints))
      } catch {
        throw .amountRefused(line.orderID, error)
      }
    }
    let (amount, included) = (gross.minorUnits, tax.minorUnits)
    return CreditNote(
      accountID: invoice.accountID, number: number, corrects: invoice.number, month: invoice.month,
      currency: invoice.currency, reason: reason, lines: lines, gross: amount, tax: included, issuedAt: now,
      postings: [
        Posting(.receivable, -amount), Posting(.revenue, amount - included), Posting(.taxPayable, included),
      ])
  }

  private static func choose(
    _ amounts: [CreditedAmount], from invoice: CreditableInvoice
  ) throws(Rejection) -> [(line: CreditableLine, amount: Int64)] {
    var chosen: [(line: CreditableLine, amount: Int64)] = []
    for wanted in amounts {
      guard
        let line = invoice.lines.first(where: {
          $0.position == wanted.position && $0.lineNumber == wanted.lineNumber
        }), !chosen.contains(where: { $0.line == line })
      else { throw .noSuchLine(invoice.number, position: wanted.position, lineNumber: wanted.lineNumber) }
      guard wanted.amount > 0, wanted.amount <= line.left else {
        throw .creditExceedsLine(
          invoice.number, position: wanted.position, lineNumber: wanted.lineNumber,
          left: Money(line.left, invoice.currency))
      }
      chosen.append((line, wanted.amount))
    }
    return chosen
  }
}
