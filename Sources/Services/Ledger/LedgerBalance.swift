import EventStore
import Vocabulary

/// The ledger's accounts in one currency with what was posted to them.
public struct LedgerBalance: Sendable, Hashable, Codable {
  public struct Entry: Sendable, Hashable, Codable {
    /// receivable, revenue, tax_payable, cash, refunds_payable or fees
    public let ledgerAccount: String
    public let debits: Money
    /// Positive too.
    public let credits: Money
    /// Debits less credits.
    public let balance: Money

    private enum CodingKeys: String, CodingKey {
      case ledgerAccount = "ledger_account"
      case debits, credits, balance
    }
  }

  public let currency: Currency
  public let entries: [Entry]
  /// What the balances add up to; anything but zero is an error.
  public let sum: Money

  public var isBalanced: Bool { sum.minorUnits == 0 }
}

/// The trial balance: everything that was posted up to a position, by currency and ledger account.
public struct TrialBalance: Sendable, Hashable, Codable {
  public let asOfPosition: Position
  public let currencies: [LedgerBalance]

  public var isBalanced: Bool { currencies.allSatisfy(\.isBalanced) }

  private enum CodingKeys: String, CodingKey {
    case asOfPosition = "as_of_position"
    case currencies
  }
}
