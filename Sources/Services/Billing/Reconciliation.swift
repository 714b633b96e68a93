import EventStore
import Vocabulary

/// The tables and the log compared for one month, both as of ``asOfPosition``. Nothing is ever corrected by it.
public struct Reconciliation: Sendable, Hashable, Codable {
  public let month: Month
  public let asOfPosition: Position
  /// Position of the last event of an order; what lies between is not in the tables yet, and was not compared.
  public let lastOrderPosition: Position
  /// Why the tables cannot be taken for what they should be, whatever the comparison says.
  public let obstacle: Obstacle?
  /// How many bills and lines the log gives for the month.
  public let bills: Int
  public let lines: Int
  /// How many differences there are; ``differences`` lists the first ones of them.
  public let differenceCount: Int
  public let differences: [Difference]

  public var isEqual: Bool { differenceCount == 0 && obstacle == nil }

  public enum Obstacle: String, Sendable, Hashable, Codable {
    /// The tables are being filled anew and do not have everything yet.
    case rebuilding
    /// The subscription that fills them has failed; see `aisle projections list`.
    case failed
  }

  private enum CodingKeys: String, CodingKey {
    case month
    case asOfPosition = "as_of_position"
    case lastOrderPosition = "last_order_position"
    case obstacle, bills, lines
    case differenceCount = "difference_count"
    case differences
  }

  /// One field of one bill or line that is not the same.
  public struct Difference: Sendable, Hashable, Codable, CustomStringConvertible {
    public let accountID: AccountID
    public let currency: Currency
    /// Of the line; nil if the total differs.
    public let position: Position?
    public let lineNumber: Int?
    /// Column name; `line` or `bill` if one side does not have it at all.
    public let field: String
    /// What the tables say; nil if it is not there.
    public let live: String?
    /// What the log says; nil if it is not there.
    public let batch: String?

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case currency, position
      case lineNumber = "line_no"
      case field, live, batch
    }

    public var description: String {
      let place = position.map { ", position \($0), line \(lineNumber ?? 0)" } ?? ""
      return "account \(accountID), \(currency)\(place): \(field) is \(live ?? "missing") in the tables "
        + "and \(batch ?? "missing") by the log"
    }
  }
}

extension Reconciliation.Obstacle {
  init?(_ progress: BillingProgress) {
    if progress.hasFailed {
      self = .failed
    } else if progress.position < progress.rebuildThrough {
      self = .rebuilding
    } else {
      return nil
    }
  }
}
