import EventStore
import PostgreSQL
import Services
import Vocabulary

/// Holds a run against what its scenario promises: by the raw log, by the tables derived from it, and by what buyers
/// were told, each for itself.
struct Judge {
  /// Houses that a report draws; nobody looks at more.
  private static let maximumHouses = 24

  let performance: Performance

  init(_ performance: Performance) { self.performance = performance }

  var plan: ScenarioPlan { performance.plan }
  var start: Int64 { performance.startPosition.rawValue }

  /// Judges everything and puts it into a report.
  func report(environment: RunReport.Environment) async throws -> RunReport {
    try await withCourt { court in
      var report = RunReport(
        plan: plan, recording: performance.recording, startedAt: performance.startedAt,
        environment: environment,
        log: try await court.logGrowth(), houses: Array(try await court.houses().prefix(Self.maximumHouses)),
        invariants: try await court.judgements())
      report.counters.conflicts += performance.conflicts
      return report
    }
  }

  /// Judges the invariants alone.
  func judgements() async throws -> [InvariantResult] {
    try await withCourt { try await $0.judgements() }
  }

  private func openNames(on connection: PostgresConnection) async throws {
    let sealed = try await connection.query(
      "select position from log_event where data::text like '%\"$sealed\"%' order by position"
    ).map { Position(try $0.decode(Int64.self)) }
    for start in stride(from: 0, to: sealed.count, by: 5000) {
      let events = try await performance.aisle.store.read(at: Array(sealed[start...].prefix(5000)))
      try await connection.execute(
        """
        update log_event e
        set data = u.data
        from unnest(\(events.map(\.position.rawValue)), \(events.map { JSONB($0.data) })) u (position, data)
        where e.position = u.position
        """)
    }
  }

  private func withCourt<T: Sendable>(_ body: (Court) async throws -> T) async throws -> T {
    let pool = performance.aisle.store.pool
    let connection = try await PostgresConnection.connect(pool.configuration, on: pool.thread)
    do {
      try await connection.executeScript(LogFacts.events)
      try await openNames(on: connection)
      try await connection.executeScript(LogFacts.script)
      let result = try await body(Court(judge: self, connection: connection))
      await connection.close()
      return result
    } catch {
      await connection.close()
      throw error
    }
  }
}

/// A judge with a connection on which ``LogFacts`` has been laid out.
struct Court {
  let judge: Judge
  let connection: PostgresConnection

  var performance: Performance { judge.performance }
  var plan: ScenarioPlan { judge.performance.plan }
  /// The log's end when the first buyer came.
  var start: Int64 { judge.start }

  func judgements() async throws -> [InvariantResult] {
    var results: [InvariantResult] = []
    for invariant in plan.scenario.invariants { results.append(try await judge(invariant)) }
    return results
  }

  private func judge(_ invariant: Invariant) async throws -> InvariantResult {
    switch invariant.name {
    case .noSeatBookedTwice: try await noSeatBookedTwice(invariant)
    case .allSeatsSold: try await allSeatsSold(invariant)
    case .seatsSold: try await seatsSold(invariant)
    case .noSeatLeftHeld: try await noSeatLeftHeld(invariant)
    case .seatsAreAsWished: try await seatsAreAsWished(invariant)
    case .noForbiddenOrphans: try await noForbiddenOrphans(invariant)
    case .noRefusalWhileSeatsFree: try await noRefusalWhileSeatsFree(invariant)
    case .seatsLinearizable: seatsLinearizable(invariant)
    case .expiredHoldsSoldNothing: try await expiredHoldsSoldNothing(invariant)
    case .exactlyOneWinner, .winners: try await winners(invariant)
    case .everyOtherBuyerRefusedCleanly: try await everyOtherBuyerRefusedCleanly(invariant)
    case .latePayersRefused: try await latePayersRefused(invariant)
    case .repeatsAnsweredAlike: try await repeatsAnsweredAlike(invariant)
    case .noUnexpectedErrors: noUnexpectedErrors(invariant)
    case .acknowledgedIsInTheLog: try await acknowledgedIsInTheLog(invariant)
    case .everyFaultHappened: everyFaultHappened(invariant)
    case .everyBookedSeatHasOneConfirmedOrder: try await everyBookedSeatHasOneConfirmedOrder(invariant)
    case .everyConfirmedOrderIsBilledOnce: try await everyConfirmedOrderIsBilledOnce(invariant)
    case .billsEqualBatch: try await billsEqualBatch(invariant)
    case .postingsBalance: try await postingsBalance(invariant)
    case .chargeInMonth, .refundInMonth: try await billedInMonth(invariant)
    case .noMoneyWithoutASeat: try await noMoneyWithoutASeat(invariant)
    case .refundsAreComplete: try await refundsAreComplete(invariant)
    case .everyInterleavingEndsRight: try await everyInterleavingEndsRight(invariant)
    case .waitingListInOrder: try await waitingListInOrder(invariant)
    case .neverMoreInsideThanAllowed: neverMoreInsideThanAllowed(invariant)
    case .doorInOrder: doorInOrder(invariant)
    case .nobodySneaksIn: try await nobodySneaksIn(invariant)
    case .viewsEqualLogAtTheirVersion: try await viewsEqualLogAtTheirVersion(invariant)
    case .viewsNeverGoBack: viewsNeverGoBack(invariant)
    case .everyNotificationArrives: try await everyNotificationArrives(invariant)
    case .positionsGapless: try await positionsGapless(invariant)
    case .streamVersionsContiguous: try await streamVersionsContiguous(invariant)
    case .readModelEqualsLog: try await readModelEqualsLog(invariant)
    }
  }

  // MARK: Tables

  /// The rows of a statement that returns text only.
  func table(_ statement: SQL, columns: Int) async throws -> [[String]] {
    try await connection.query(statement).map { row in
      try (0..<columns).map { try row.column($0, as: String?.self) ?? "–" }
    }
  }

  /// The first column of the first row.
  func number(_ statement: SQL) async throws -> Int {
    try await connection.query(statement).first?.decode(Int.self) ?? 0
  }

  func finding(_ rows: [[String]], holds: String, broken: (Int) -> String) -> InvariantResult.Finding {
    .init(holds: rows.isEmpty, evidence: rows.isEmpty ? holds : broken(rows.count))
  }

  func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(Numerals.grouped(count)) \(count == 1 ? one : many ?? one + "s")"
  }
}
