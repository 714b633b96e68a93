import EventStore
import PostgreSQL

/// How far the tables of billing are, read in the same statement as they are.
struct BillingProgress: Sendable, Hashable {
  /// Everything up to here is in the tables.
  let position: Position
  /// Position of the last event of an order.
  let lastOrder: Position
  /// The last try of the subscription failed.
  let hasFailed: Bool
  /// The tables are incomplete until ``position`` has reached this.
  let rebuildThrough: Position

  /// Columns 0…3: position, last_order, whether there is an error, rebuild_through.
  init(row: Row) throws {
    position = Position(try row.column(0))
    lastOrder = Position(try row.column(1))
    hasFailed = try row.column(2)
    rebuildThrough = Position(try row.column(3))
  }

  /// Why a bill may not be answered from the tables; nil if it may.
  func obstacle(lagLimit: Int64) -> BillingMetrics.Fallback? {
    if hasFailed { return .failed }
    if position < rebuildThrough { return .rebuilding }
    return lastOrder.rawValue - position.rawValue > lagLimit ? .behind : nil
  }
}
