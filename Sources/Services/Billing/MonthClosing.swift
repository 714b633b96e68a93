import Billing
import EventStore
import Vocabulary

/// What came of closing a month.
public struct MonthClosing: Sendable, Hashable, Codable {
  public let month: Month
  /// How many bills were closed now, were closed before, and could not be closed.
  public internal(set) var closedCount = 0
  public internal(set) var closedBeforeCount = 0
  public internal(set) var failedCount = 0
  /// The first ones of those that were closed now, and of those that could not be.
  public internal(set) var invoices: [Invoice] = []
  public internal(set) var failures: [Failure] = []

  /// Most entries of each list; all are counted.
  public static let maximumListed = 1000

  /// There was no bill, open or closed.
  var isEmpty: Bool { closedCount == 0 && closedBeforeCount == 0 && failedCount == 0 }

  init(_ month: Month) { self.month = month }

  private enum CodingKeys: String, CodingKey {
    case month, invoices, failures
    case closedCount = "closed_count"
    case closedBeforeCount = "closed_before_count"
    case failedCount = "failed_count"
  }

  public struct Invoice: Sendable, Hashable, Codable {
    public let accountID: AccountID
    public let currency: Currency
    public let invoiceNumber: DocumentNumber
    public let due: Money

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case currency, due
      case invoiceNumber = "invoice_number"
    }
  }

  /// A bill that is still open. Closing the month again tries it again.
  public struct Failure: Sendable, Hashable, Codable {
    public let accountID: AccountID
    public let currency: Currency
    /// The stable name of the reason, such as `month-not-over`.
    public let code: String
    public let message: String

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case currency, code, message
    }
  }

  mutating func add(_ bill: Bill, closedAs number: DocumentNumber) {
    closedCount += 1
    guard invoices.count < Self.maximumListed else { return }
    invoices.append(
      Invoice(accountID: bill.accountID, currency: bill.currency, invoiceNumber: number, due: bill.due))
  }

  mutating func add(_ key: BillKey, failedBy rejection: Billing.Rejection) {
    failedCount += 1
    guard failures.count < Self.maximumListed else { return }
    failures.append(
      Failure(
        accountID: key.account, currency: key.currency, code: rejection.code, message: rejection.message))
  }
}
