import EventStore
import PostgreSQL
import Vocabulary

/// What the last comparison of each month's tables with the log has found, in `aisle.billing_checks`.
///
/// As long as a month has differences, ``BillSource/automatic`` takes its bills from the log.
struct BillingChecks: Sendable {
  let store: EventStore

  func record(_ result: Reconciliation) async throws {
    try await store.pool.execute(
      """
      insert into aisle.billing_checks as k (tenant, month, as_of_position, bills, lines, differences, checked_at)
      select c.tenant, c.month, c.as_of_position, c.bills, c.lines, c.differences, clock_timestamp()
      from (
        select \(store.tenant.rawValue)::integer as tenant, \(result.month.description)::text as month,
               \(result.asOfPosition.rawValue)::bigint as as_of_position, \(result.bills)::bigint as bills,
               \(result.lines)::bigint as lines, \(result.differenceCount)::bigint as differences
      ) c
      -- Whoever asks for months in which there is nothing leaves no trace.
      where c.bills > 0 or c.differences > 0
         or exists (
           select from aisle.billing_checks o
           where o.tenant = c.tenant and o.month = c.month and o.tenant = \(store.tenant.rawValue))
      on conflict (tenant, month) do update
      set as_of_position = excluded.as_of_position, bills = excluded.bills, lines = excluded.lines,
          differences = excluded.differences, checked_at = excluded.checked_at
      where k.as_of_position <= excluded.as_of_position
      """)
  }

  /// The months to compare now: those that have differences or have changed since they were compared, and of the others the
  /// one that was compared longest ago; at most `limit`.
  func due(limit: Int) async throws -> [Month] {
    let tenant = store.tenant.rawValue
    let rows = try await store.pool.query(
      """
      select d.month, d.is_pressing
      from (
        select m.month, k.checked_at,
               k.month is null or k.differences > 0 or m.last_position > k.as_of_position as is_pressing
        from (
          select month, max(last_position) as last_position
          from aisle.billing_months
          where tenant = \(tenant)
          group by month
        ) m
        left join aisle.billing_checks k on k.tenant = \(tenant) and k.month = m.month
      ) d
      order by d.is_pressing desc, d.checked_at nulls first
      limit \(limit)
      """
    ).map { try $0.decode(String.self, Bool.self) }
    let pressing = rows.prefix { $0.1 }
    return try (pressing + rows.dropFirst(pressing.count).prefix(1)).map { try Month(stored: $0.0) }
  }

  /// Whether it is this process' turn, of all that compare: once in an interval, by the database's clock.
  func claim(every interval: Duration) async throws -> Bool {
    let milliseconds = Int64(interval / .milliseconds(1))
    return try await !store.pool.query(
      """
      insert into aisle.billing_schedule as s (tenant, due_at)
      values (\(store.tenant.rawValue), now() + \(milliseconds)::bigint * interval '1 millisecond')
      on conflict (tenant) do update
      set due_at = excluded.due_at
      where s.due_at <= now()
      returning s.tenant
      """
    ).isEmpty
  }

  /// How many months have been compared, how many differences there are in all, and since when the oldest comparison is.
  func summary() async throws -> (months: Int, differences: Int, oldestSeconds: Int) {
    let row = try await store.pool.query(
      """
      select count(*), coalesce(sum(differences), 0)::bigint,
             coalesce(extract(epoch from now() - min(checked_at)), 0)::bigint
      from aisle.billing_checks
      where tenant = \(store.tenant.rawValue)
      """
    ).first
    return try row?.decode(Int.self, Int.self, Int.self) ?? (0, 0, 0)
  }
}
