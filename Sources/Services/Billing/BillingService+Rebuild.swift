import EventStore
import PostgreSQL

extension BillingService {
  /// Empties the tables of bills and lets the subscription fill them again from the first event.
  ///
  /// Until it has caught up with where it was, ``BillSource/automatic`` answers from the log. The accounts' streams
  /// stay as they are: charges and refunds have the same ids as before and are not stored a second time.
  public func rebuild() async throws(ServiceError) {
    let tenant = store.tenant.rawValue
    do {
      try await store.pool.transaction { connection in
        // Emptying large tables takes its time.
        try await connection.liftStatementTimeout()
        try await connection.execute(
          """
          insert into aisle.checkpoints (tenant, subscription)
          values (\(tenant), \(BillingProjection.name))
          on conflict (tenant, subscription) do nothing
          """)
        // The row's lock keeps the subscription out until the commit; its next batch begins at the first event.
        try await connection.execute(
          """
          with before as (
            select position
            from aisle.checkpoints
            where tenant = \(tenant) and subscription = \(BillingProjection.name)
            for update
          )
          insert into aisle.billing_rebuilds as r (tenant, through_position)
          select \(tenant), position
          from before
          on conflict (tenant) do update
          set through_position = greatest(r.through_position, excluded.through_position), started_at = now()
          """)
        try await connection.execute(
          """
          update aisle.checkpoints
          set position = 0, events = 0, last_error = null, updated_at = clock_timestamp()
          where tenant = \(tenant) and subscription = \(BillingProjection.name)
          """)
        try await connection.execute("delete from aisle.billing_lines where tenant = \(tenant)")
        try await connection.execute("delete from aisle.billing_months where tenant = \(tenant)")
        // Of tables that are no more.
        try await connection.execute("delete from aisle.billing_checks where tenant = \(tenant)")
      }
    } catch {
      throw ServiceError(reading: error)
    }
  }
}
