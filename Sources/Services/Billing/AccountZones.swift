import Billing
import EventStore
import PostgreSQL
import Vocabulary

/// Which time zone some accounts had when. An account is in UTC until it is opened, and then in one zone until it
/// moves.
struct AccountZones {
  private var openings: [AccountID: [(position: Position, zone: BillingZone)]] = [:]

  /// What the log says about some accounts before a position.
  static func load(
    of accounts: Set<AccountID>, before position: Position, tenant: TenantID,
    on connection: PostgresConnection
  ) async throws -> AccountZones {
    let rows = try await connection.query(
      """
      select account_id, position, time_zone
      from aisle.account_openings(\(tenant.rawValue), \(accounts.map(\.rawValue)))
      where position < \(position.rawValue)
      order by account_id, position
      """)
    var zones = AccountZones()
    for row in rows {
      let (account, opened, name) = try row.decode(String.self, Int64.self, String.self)
      // openAccount lets no other zone through; should one be there all the same, a guess would be a wrong bill.
      guard let zone = BillingZone(name) else { throw Billing.Rejection.unknownTimeZone(name) }
      zones.openings[AccountID(unchecked: account), default: []].append((Position(opened), zone))
    }
    return zones
  }

  func zone(of account: AccountID, at position: Position) -> BillingZone {
    openings[account]?.last { $0.position < position }?.zone ?? .utc
  }
}
