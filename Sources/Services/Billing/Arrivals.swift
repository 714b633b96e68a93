import EventStore
import PostgreSQL
import Vocabulary

/// Whose bills may have changed since they were read.
struct Arrivals {
  private(set) var through: Position
  private(set) var accounts: Set<AccountID> = []

  init(after position: Position) { through = position }

  /// What was in the log before does not have to be looked at while its lock is held.
  mutating func readOn(_ store: EventStore) async throws {
    let head = try await store.head()
    guard head > through else { return }
    let (seen, arrived) = (
      head,
      try await store.pool.withConnection {
        try await Self.accounts(of: store, after: through, through: head, on: $0)
      }
    )
    accounts.formUnion(arrived)
    through = seen
  }

  /// The accounts with orders, or a new time zone, in a part of the log.
  static func accounts(
    of store: EventStore, after first: Position, through last: Position, on connection: PostgresConnection
  ) async throws -> Set<AccountID> {
    let rows = try await connection.query(
      """
      select distinct e.data ->> 'account_id'
      from aisle.events e
      where e.tenant = \(store.tenant.rawValue) and e.position > \(first.rawValue) and e.position <= \(last.rawValue)
        and e.type in ('order-confirmed', 'order-seats-cancelled', 'order-cancelled', 'account-opened',
                       'account-zone-changed')
      """)
    return Set(try rows.map { AccountID(unchecked: try $0.decode(String.self)) })
  }
}
