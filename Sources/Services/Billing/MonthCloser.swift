import Billing
import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// Turns the bills of a month into invoices.
///
/// All open bills are taken from the log in one statement, and held in memory (about half a kilobyte each). Then each is
/// closed in a transaction of its own, in which one atomic append takes the next number and writes `month-closed`:
/// - The stream of numbers has to be at the version before, so a number is given once and none is left out.
/// - The ids of both events are derived from the bill, and the log stores an id once: no bill has two invoices.
/// - From the append to the commit the transaction holds the log's lock. Under it, it looks whether an event of the account
///   has come since the bill was read. If so, all is undone, and the bill read anew.
///
/// Whoever dies in between leaves nothing, or an invoice that is complete.
struct MonthCloser: Sendable {
  /// Between these a test may let something happen.
  enum Step: Sendable, CaseIterable { case billsRead, deciding, appended, committed }

  let store: EventStore
  let batch: BillingBatch
  let time: TimeSource
  var reached: @Sendable (Step, Bill?) async throws -> Void = { _, _ in }
  /// Is told how many of the open bills are done with.
  var progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }

  /// How often bills are read anew because orders came meanwhile, or because it is not known what became of them. Each time
  /// only those are left.
  private static let maximumPasses = 10
  /// How often a number is asked for that others take. Each time, one of them gets on.
  private static let maximumAttempts = 1000
  /// After so many bills in a row that the database could not be reached for, the others are not tried.
  private static let maximumOutage = 3

  private enum NotNow: Error {
    /// Another closer took the number.
    case numberTaken
    /// The bill was closed by somebody else.
    case closedAlready
    /// The account has an event that the bill does not know.
    case overtaken
  }

  private var parked: ParkedBills { ParkedBills(store: store) }

  func close(_ month: Month, of account: AccountID?, _ context: RequestContext) async throws -> MonthClosing {
    var result = MonthClosing(month)
    /// What is left for the next pass, and why.
    var left: [BillKey: String]?
    let parkedBefore = Set(try await parked.list(month).map(\.key))
    for _ in 1...Self.maximumPasses {
      let answer = try await bills(of: account, month)
      try await reached(.billsRead, nil)
      var arrivals = Arrivals(after: answer.position)
      var again: [BillKey: String] = [:]
      var outage = 0
      let rows = answer.rows.filter { left?[$0.key] != nil || left == nil }
      for (index, row) in rows.enumerated() {
        do {
          let bill = try row.bill.get()
          if bill.status == .closed {
            result.closedBeforeCount += 1
            continue
          }
          try await arrivals.readOn(store)
          if arrivals.accounts.contains(bill.accountID) { throw NotNow.overtaken }
          let number = try await close(bill, knowing: arrivals.through, context)
          result.add(bill, closedAs: number)
          if parkedBefore.contains(row.key) { try await parked.remove(row.key) }
          outage = 0
        } catch NotNow.overtaken, NotNow.closedAlready {
          again[row.key] = "its orders come faster than it can be closed"
        } catch let rejection as Billing.Rejection {
          try await fail(row.key, rejection, &result)
        } catch is CancellationError {
          throw CancellationError()
        } catch let error as MoneyError {
          try await fail(row.key, .billRefused(error), &result)
        } catch {
          // It may be closed all the same: the next pass sees.
          let error = ServiceError(reading: error)
          outage += 1
          if outage == Self.maximumOutage { throw error }
          again[row.key] = "\(error)"
        }
        progress(index + 1, rows.count)
      }
      if again.isEmpty { return result }
      left = again
    }
    // Read once more, so that each is told for what it is.
    for row in try await bills(of: account, month).rows {
      guard let reason = left?[row.key] else { continue }
      if case .success(let bill) = row.bill, bill.status == .closed {
        result.closedBeforeCount += 1
      } else {
        try await fail(row.key, .stillOpen(row.key.account, month, reason: reason), &result)
      }
    }
    return result
  }

  /// Lists a bill that stays open. It is parked unless all that is amiss is that the month is not over yet.
  private func fail(
    _ key: BillKey, _ rejection: Billing.Rejection, _ result: inout MonthClosing
  ) async throws {
    result.add(key, failedBy: rejection)
    if case .monthNotOver = rejection { return }
    try await parked.add(key, rejection, at: time.now)
  }

  private func bills(of account: AccountID?, _ month: Month) async throws
    -> BillingBatch.Answer<BillingBatch.Found>
  {
    try await store.pool.transaction { connection in
      // A long log takes its time.
      try await connection.liftStatementTimeout()
      return try await batch.find(of: account, from: month, to: month, on: connection)
    }
  }

  private func close(
    _ bill: Bill, knowing known: Position, _ context: RequestContext
  ) async throws -> DocumentNumber {
    for _ in 1...Self.maximumAttempts {
      do {
        let number = try await store.pool.transaction { connection in
          try await append(bill, knowing: known, context, on: connection)
        }
        try await reached(.committed, bill)
        return number
      } catch NotNow.numberTaken {
        continue
      }
    }
    throw ServiceError.overloaded("others take the numbers of invoices all the time; close the month again")
  }

  private func append(
    _ bill: Bill, knowing known: Position, _ context: RequestContext, on connection: PostgresConnection
  ) async throws -> DocumentNumber {
    try await reached(.deciding, bill)
    let now = time.now
    let numbers = StreamName.numbers(.invoice, year: Month(of: now).year)
    let taken = try await connection.query(
      """
      select version
      from aisle.streams
      where tenant = \(store.tenant.rawValue) and name = \(numbers.description)
      """
    ).first?.decode(Int64.self)
    let number = DocumentNumber(series: .invoice, year: Month(of: now).year, ordinal: (taken ?? 0) + 1)
    let closed = try Billing.close(bill.closable, as: number, at: now)
    let assigned = NumberAssigned(
      number: number, accountID: bill.accountID, month: bill.month, currency: bill.currency)
    func id(_ kind: String) -> UUID {
      .derived(from: kind, bill.accountID.rawValue, bill.month.description, bill.currency.code)
    }
    let closing = try NewEvent(
      Billing.Event.monthClosed(closed), id: id("month-closed"),
      tags: [
        BillTags.account(bill.accountID), BillTags.month(bill.month),
        BillTags.bill(bill.month, bill.currency, bill.accountID),
      ], metadata: context.metadata())
    let outcomes: [AppendOutcome]
    do throws {
      outcomes = try await store.append(
        [
          [
            StreamAppend(.account(bill.accountID), expecting: .any, [closing]),
            StreamAppend(
              numbers, expecting: .version(number.ordinal - 1),
              [
                try NewEvent(
                  assigned, id: id("invoice-numbered"), metadata: context.metadata(causedBy: closing.id))
              ]),
          ]
        ], inTransactionOf: connection)
    } catch AppendError.eventIDReused {
      // Closed under a number of another year.
      throw NotNow.closedAlready
    }
    switch outcomes.first {
    case .committed(let receipt):
      try await reached(.appended, bill)
      let position = receipt.streams.lazy.compactMap(\.position).min() ?? .start
      try await requireNothing(of: bill.accountID, between: known, and: position, on: connection)
      return number
    case .duplicate: throw NotNow.closedAlready
    case .conflict, nil: throw NotNow.numberTaken
    case .unknown(let error):
      throw ServiceError.outcomeUnknown(
        "the connection was lost while closing the bill of \(bill.accountID): \(error)")
    }
  }

  /// The log's lock is held here, so nothing more can come before `position`.
  private func requireNothing(
    of account: AccountID, between known: Position, and position: Position,
    on connection: PostgresConnection
  ) async throws {
    let arrived = try await Arrivals.accounts(
      of: store, after: known, through: Position(position.rawValue - 1), on: connection)
    if arrived.contains(account) { throw NotNow.overtaken }
  }
}

extension Bill {
  fileprivate var closable: Billing.ClosableBill {
    get throws {
      guard let zone = BillingZone(timeZone) else { throw Billing.Rejection.unknownTimeZone(timeZone) }
      return Billing.ClosableBill(
        accountID: accountID, month: month, currency: currency,
        totals: try MonthlyTotals(gross: gross, tax: tax, refunds: refunds, lines: lines), digest: digest,
        zone: zone, throughPosition: asOfPosition.rawValue)
    }
  }
}

extension StreamName {
  /// Whose version is the last number that was given.
  static func numbers(_ series: DocumentNumber.Series, year: Int) -> StreamName {
    StreamName(category: NumberAssigned.category, id: "\(series.rawValue)-\(year)")
  }
}
