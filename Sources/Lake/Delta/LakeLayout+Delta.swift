/// Where everything lies in a lake of Delta tables.
///
/// ```
/// _lock, _temporary/…                                                   as in any lake
/// events/_delta_log/00000000000000000001.json                           the commits of the table of events
/// events/tenant=1/category=order/event_date=2026-11-24/part-….parquet   its data
/// orders/…, bookings/…, billing_lines/…                                 the other tables, each with its own log
/// ```
extension LakeLayout {
  static let deltaSuffix = ".zstd.parquet"

  func deltaLog(of table: String) -> String { "\(root)/\(table)/_delta_log" }

  func deltaCommit(_ version: Int64, of table: String) -> String {
    "\(deltaLog(of: table))/\(Self.padded(version)).json"
  }

  /// The version of a commit, or nil when the name is not one.
  static func deltaVersion(_ name: String) -> Int64? { entryNumber(name) }

  /// Whether an export of the tenant, or of any, could have made the file of this table. Only such files are ever
  /// removed from a lake.
  static func isDeltaPart(_ path: String, of tenant: Int32?, in schema: DeltaSchema) -> Bool {
    let names = path.split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == schema.partitionColumns.count + 2, names[0] == schema.name else { return false }
    for (column, name) in zip(schema.partitionColumns, names.dropFirst())
    where !name.hasPrefix(column.name + "=") { return false }
    let isTenant = tenant.map { names[1] == "tenant=\($0)" } ?? true
    return isTenant && isPartName(names[names.count - 1], suffix: deltaSuffix)
  }
}
