import EventStore
import PostgreSQL
import Vocabulary

extension BillingService {
  /// Most rows of one page.
  public static let maximumPage = 1000

  /// The bills of an account's month, one for each currency.
  ///
  /// Empty if nothing was billed: a bill of zero would need a currency, and none is known.
  /// - Throws: ``ServiceError/notFound(kind:id:)`` if the account was never opened and nothing was ever billed to it.
  public func bill(
    _ account: AccountID, _ month: Month, source: BillSource = .automatic
  ) async throws(ServiceError) -> [Bill] {
    try await bills(account, from: month, to: month, source: source)
  }

  /// The bills of an account from one month through another, ordered by month and currency; months without a line
  /// are left out.
  public func bills(
    _ account: AccountID, from first: Month, to last: Month, source: BillSource = .automatic
  ) async throws(ServiceError) -> [Bill] {
    guard first <= last else { throw .invalid("the months \(first) to \(last) are in the wrong order") }
    let answer = try await answer(
      from: source, tables: { try await self.tables.bills(of: account, from: first, to: last) },
      batch: { try await self.batch.bills(of: account, from: first, to: last) })
    if answer.rows.isEmpty { try await requireAccount(account) }
    return answer.rows
  }

  /// The lines of an account's month in the order of the log, after a cursor; at most `limit`, and never more than
  /// ``maximumPage``.
  public func lines(
    _ account: AccountID, _ month: Month, source: BillSource = .automatic,
    after cursor: BillLine.Cursor? = nil,
    limit: Int = 100
  ) async throws(ServiceError) -> BillLinePage {
    let limit = min(max(1, limit), Self.maximumPage)
    let start = cursor ?? .start
    // One more than asked for tells whether there is a next page.
    let answer = try await answer(
      from: source,
      tables: { try await self.tables.lines(of: account, month, after: start, limit: limit + 1) },
      batch: { try await self.batch.lines(of: account, month, after: start, limit: limit + 1) })
    if answer.rows.isEmpty { try await requireAccount(account) }
    let page = Array(answer.rows.prefix(limit))
    return BillLinePage(
      lines: page, source: answer.source, asOfPosition: answer.position,
      next: answer.rows.count > limit ? page.last?.cursor : nil)
  }

  /// The bills of all accounts of a month, after a cursor; at most `limit`, and never more than ``maximumPage``.
  public func monthOverview(
    _ month: Month, source: BillSource = .automatic, after cursor: MonthOverview.Cursor? = nil,
    limit: Int = 100
  ) async throws(ServiceError) -> MonthOverview {
    let limit = min(max(1, limit), Self.maximumPage)
    let start = cursor ?? .start
    let answer = try await answer(
      from: source, tables: { try await self.tables.bills(of: month, after: start, limit: limit + 1) },
      batch: { try await self.batch.bills(from: month, to: month, after: start, limit: limit + 1) })
    let page = Array(answer.rows.prefix(limit))
    return MonthOverview(
      month: month, bills: page, source: answer.source, asOfPosition: answer.position,
      next: answer.rows.count > limit ? page.last.map(MonthOverview.Cursor.init) : nil)
  }

  // MARK: Source

  private struct Answer<Element: Sendable>: Sendable {
    let rows: [Element]
    let source: Bill.Source
    let position: Position
  }

  private func answer<Element: Sendable>(
    from source: BillSource, tables: () async throws -> BillingTables.Answer<Element>,
    batch: () async throws -> BillingBatch.Answer<Element>
  ) async throws(ServiceError) -> Answer<Element> {
    do {
      var obstacle: BillingMetrics.Fallback?
      if source != .batch {
        let answer = try await tables()
        obstacle = answer.progress.obstacle(lagLimit: lagLimit) ?? (answer.isUnsound ? .checksum : nil)
        if source == .preAggregated || obstacle == nil {
          metrics.answered(from: .preAggregated, because: nil)
          return Answer(rows: answer.rows, source: .preAggregated, position: answer.progress.position)
        }
      }
      let answer = try await batch()
      metrics.answered(from: .batch, because: obstacle)
      return Answer(rows: answer.rows, source: .batch, position: answer.position)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// Whether the log knows the account: it was opened, or something was billed to it.
  func requireAccount(_ id: AccountID) async throws(ServiceError) {
    let known: Bool
    do {
      known =
        try await !store.pool.query(
          """
          select 1
          from aisle.streams
          where tenant = \(store.tenant.rawValue) and name = \(StreamName.account(id).description)
          """
        ).isEmpty
    } catch {
      throw ServiceError(reading: error)
    }
    if !known { throw .notFound(kind: "account", id: id.rawValue) }
  }
}
