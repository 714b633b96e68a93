import Billing
import EventStore
import PostgreSQL
import Vocabulary

/// A bill that could not be closed when it was tried. It is tried again by closing its month again, for its account or for
/// all.
public struct ParkedBill: Sendable, Hashable, Codable {
  public let accountID: AccountID
  public let month: Month
  public let currency: Currency
  /// The stable name of the reason, such as `bill-refused`.
  public let code: String
  public let message: String
  /// How often it was tried.
  public let attempts: Int
  public let parkedAt: Timestamp
  /// When it was tried last.
  public let triedAt: Timestamp

  var key: BillKey { BillKey(account: accountID, month: month, currency: currency) }

  private enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case month, currency, code, message, attempts
    case parkedAt = "parked_at"
    case triedAt = "tried_at"
  }
}

/// The list of them, in `aisle.billing_parked`.
struct ParkedBills: Sendable {
  let store: EventStore

  /// Most that are listed of a month.
  static let maximumListed = 1000

  /// In the order of account and currency. One that was closed although nobody could say so any more is not among them.
  func list(_ month: Month) async throws -> [ParkedBill] {
    let tenant = store.tenant.rawValue
    return try await store.pool.query(
      """
      select p.account_id, p.currency, p.code, p.message, p.attempts, p.parked_at, p.tried_at
      from aisle.billing_parked p
      left join lateral (
        select c.invoice_number
        from aisle.bill_closing(\(tenant), p.account_id, p.month, p.currency, \(Int64.max)) c
      ) c on true
      where p.tenant = \(tenant) and p.month = \(month.description) and c.invoice_number is null
      order by p.account_id, p.currency
      limit \(Self.maximumListed)
      """
    ).map { row in
      ParkedBill(
        accountID: AccountID(unchecked: try row.column(0)), month: month,
        currency: try Currency(stored: row.column(1)), code: try row.column(2), message: try row.column(3),
        attempts: try row.column(4), parkedAt: try row.column(5), triedAt: try row.column(6))
    }
  }

  func add(_ key: BillKey, _ rejection: Billing.Rejection, at now: Timestamp) async throws {
    try await store.pool.execute(
      """
      insert into aisle.billing_parked as p (
        tenant, month, account_id, currency, code, message, parked_at, tried_at)
      values (
        \(store.tenant.rawValue), \(key.month.description), \(key.account.rawValue), \(key.currency.code),
        \(rejection.code), \(rejection.message), \(now), \(now))
      on conflict (tenant, month, account_id, currency) do update
      set code = excluded.code, message = excluded.message, tried_at = excluded.tried_at, attempts = p.attempts + 1
      """)
  }

  func remove(_ key: BillKey) async throws {
    try await store.pool.execute(
      """
      delete from aisle.billing_parked
      where tenant = \(store.tenant.rawValue) and month = \(key.month.description)
        and account_id = \(key.account.rawValue) and currency = \(key.currency.code)
      """)
  }
}
