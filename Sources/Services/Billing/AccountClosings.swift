import Billing
import EventStore
import PostgreSQL
import Vocabulary

/// Which months of some accounts were closed when.
struct AccountClosings {
  private var closed: [AccountID: Billing.ClosedMonths] = [:]

  /// What the log says about some accounts. Each closing has the position through which it closes, so every event may be
  /// held against the same answer.
  static func load(
    of accounts: Set<AccountID>, tenant: TenantID, on connection: PostgresConnection
  ) async throws -> AccountClosings {
    let rows = try await connection.query(
      """
      select account_id, month, currency, invoice_number, through_position
      from aisle.month_closings(\(tenant.rawValue), \(accounts.map(\.rawValue)))
      """)
    var closings = AccountClosings()
    for row in rows {
      let (account, month, currency, number, through) = try row.decode(
        String.self, String.self, String.self, String.self, Int64.self)
      closings.closed[AccountID(unchecked: account), default: .init()].add(
        try Month(stored: month), try Currency(stored: currency), through: through,
        number: try DocumentNumber(stored: number))
    }
    return closings
  }

  func months(of account: AccountID) -> Billing.ClosedMonths { closed[account] ?? .init() }
}
