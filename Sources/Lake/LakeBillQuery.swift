import Vocabulary

import struct Foundation.URL

/// A month's bills as a question to an engine that reads Parquet files: one SQL text, the same for DuckDB, Spark and
/// PostgreSQL, over the table `billing_lines`.
///
/// The engine gets the files that the table's commits name, so neither an orphan nor what an export is writing is seen. It
/// believes them; ``LakeVerifier`` is who checks them.
public struct LakeBillQuery: Sendable {
  /// The lake's directory; `files` are relative to it.
  public let directory: URL
  /// Of the table `billing_lines`; none when nothing was ever billed.
  public let files: [String]
  /// The position up to which the whole lake is complete, and the bills are asked for.
  public let position: Int64
  public let sql: String

  /// Reads the commits of a Delta lake.
  ///
  /// - Throws: `LakeError`; `anotherFormat` for a lake of JSON lines, which engines cannot ask like this.
  public init(_ directory: URL, month: Month, account: AccountID? = nil) async throws {
    let reader = CommitReader(layout: LakeLayout(root: directory.path))
    defer { reader.executor.stop() }
    let (files, position) = try await reader.read()
    self.directory = directory
    self.files = files
    self.position = position
    sql = Self.sql(month: month, account: account, through: position)
  }

  /// A row for each account and currency: `account_id`, `billing_month`, `currency`, `gross`, `tax`, `refunds`, `line_count`.
  ///
  /// None of the values can end a literal: a month, a number, and an id, which has no quotes.
  static func sql(month: Month, account: AccountID?, through position: Int64) -> String {
    """
    select account_id, billing_month, currency,
           cast(sum(case when line_kind = 'charge' then amount_minor else 0 end) as bigint) as gross,
           cast(sum(case when line_kind = 'charge' then tax_minor else -tax_minor end) as bigint) as tax,
           cast(sum(case when line_kind = 'refund' then amount_minor else 0 end) as bigint) as refunds,
           count(*) as line_count
    from billing_lines
    where billing_month = '\(month)' and position <= \(position)\(account.map { " and account_id = '\($0.rawValue)'" } ?? "")
    group by account_id, billing_month, currency
    order by account_id, billing_month, currency
    """
  }

  /// Reading files blocks, so it has a thread of its own.
  private actor CommitReader {
    nonisolated let executor = ThreadExecutor(name: "lake-query")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let layout: LakeLayout

    init(layout: LakeLayout) { self.layout = layout }

    func read() throws(LakeError) -> (files: [String], position: Int64) {
      switch try LakeFormat.found(in: layout) {
      case .delta: break
      case .ndjson: throw .anotherFormat(directory: layout.root, found: .ndjson, expected: .delta)
      case nil: throw .notALake(directory: layout.root)
      }
      var events = DeltaLog(layout: layout, table: EventTable.schema.name)
      var lines = DeltaLog(layout: layout, table: FactTable.billingLines.schema.name)
      // In this order: the lines reach at least as far as the events did before.
      try events.refresh()
      try lines.refresh()
      guard lines.lastPosition >= events.lastPosition else {
        throw .damagedManifest(
          path: layout.deltaLog(of: lines.table),
          reason: "it ends at position \(lines.lastPosition), the events at \(events.lastPosition)")
      }
      return (lines.files.map(\.path), events.lastPosition)
    }
  }
}

extension LakeBill {
  /// A row of the answer to ``LakeBillQuery``.
  public struct Row: Codable, Sendable {
    public let accountID: String
    public let month: String
    public let currency: String
    public let gross: Int64
    public let tax: Int64
    public let refunds: Int64
    public let lines: Int64

    enum CodingKeys: String, CodingKey {
      case currency, gross, tax, refunds
      case accountID = "account_id"
      case month = "billing_month"
      case lines = "line_count"
    }
  }

  /// nil if the amounts are larger than a bill can have.
  public init?(_ row: Row) {
    let (due, dueOverflow) = row.gross.subtractingReportingOverflow(row.refunds)
    let (net, netOverflow) = due.subtractingReportingOverflow(row.tax)
    if dueOverflow || netOverflow { return nil }
    self.init(
      accountID: row.accountID, month: row.month, currency: row.currency, gross: row.gross, tax: row.tax,
      refunds: row.refunds, net: net, due: due, lines: row.lines)
  }
}
