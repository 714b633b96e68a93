import Vocabulary

extension Court {
  /// Whoever is refused for lack of seats is refused rightly if at some moment between the request and the answer no
  /// seats would have served them. The moments are positions of the log: the furthest that was known when the request
  /// was sent, and the log's end after the refusal.
  ///
  /// A hold counts as taking its seats until the log says that it has ended.
  func noRefusalWhileSeatsFree(_ invariant: Invariant) async throws -> InvariantResult {
    let refusals = performance.exchanges.filter { exchange in
      exchange.answer.verdict == .refused
        && ["seats-unavailable", "no-adjacent-seats", "not-enough-seats"].contains(exchange.answer.reason)
    }
    var rows: [[String]] = []
    var brokenAt: Int64?
    for show in plan.shows {
      var history = SeatHistory(show)
      let changes = try await connection.query(
        """
        select position, seat, type in ('seats-held', 'hold-confirmed')
        from log_change
        where show_id = \(show.id.rawValue)
        order by position
        """)
      let ours = refusals.compactMap { refusal in refusal.wish(in: show.id).map { (refusal, $0) } }
      let wishes = Set(ours.map(\.1))
      history.watch(wishes)
      for change in changes {
        let (position, seat, isTaken) = try change.decode(Int64.self, String.self, Bool.self)
        history.change(SeatID(unchecked: seat), isTaken: isTaken, at: position)
      }
      history.end()
      for (refusal, wish) in ours {
        let buyer = plan.buyers[refusal.buyer]
        let until = refusal.headAfter ?? .max
        if !history.couldNotServe(wish, from: refusal.headBefore, to: until) {
          rows.append([
            show.id.rawValue, buyer.id.rawValue, wish.text, "\(refusal.headBefore)",
            refusal.headAfter.map { "\($0)" } ?? "–",
          ])
          brokenAt = min(brokenAt ?? .max, refusal.endMicroseconds)
        }
      }
    }
    let log = finding(
      rows, holds: "\(counted(refusals.count, "refusal")), each while nothing fitting was free."
    ) {
      "\(counted($0, "refusal")) while fitting seats were free."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      fromReadModel: try await refusalsByTheEnd(of: refusals),
      details: rows.isEmpty
        ? nil
        : .init(columns: ["show", "buyer", "wanted", "asked after position", "told before"], rows: rows),
      brokenAtMicroseconds: brokenAt)
  }

  /// What is still free at the end was free all along, if nothing was ever given back; then it fits nobody who was
  /// refused. Otherwise the tables cannot tell.
  private func refusalsByTheEnd(of refusals: [Journal.Exchange]) async throws -> InvariantResult.Finding? {
    guard
      try await number(
        "select count(*) from aisle.holds where status in ('released', 'expired', 'cancelled')") == 0
    else { return nil }
    var wrong = 0
    for show in plan.shows {
      let taken = try await connection.query(
        "select seat from aisle.taken_seats where show_id = \(show.id.rawValue)"
      ).map { SeatID(unchecked: try $0.decode(String.self)) }
      var history = SeatHistory(show)
      let ours = refusals.compactMap { $0.wish(in: show.id) }
      history.watch(Set(ours))
      for seat in taken { history.change(seat, isTaken: true, at: 1) }
      history.end()
      wrong += ours.count { !history.couldNotServe($0, from: 1, to: 1) }
    }
    return .init(
      holds: wrong == 0,
      evidence: wrong == 0
        ? "What is free at the end would have served none of the refused."
        : "What is free at the end would have served \(Numerals.grouped(wrong)) of the refused.")
  }
}

extension Journal.Exchange {
  /// What was asked for, if it was seats of that show.
  fileprivate func wish(in id: ShowID) -> PlannedWish? {
    guard case .hold(_, let show, _, let wish) = request, show == id else { return nil }
    return wish
  }
}

extension PlannedWish {
  var text: String {
    switch self {
    case .named(let seats): seats.map(\.rawValue).joined(separator: " ")
    case .best(let best):
      "best \(best.count)" + (best.section.map { " in \($0)" } ?? "")
        + (best.category.map { " of \($0)" } ?? "")
        + (best.accessible > 0 ? " with \(best.accessible) wheelchair" : "") + (best.together ? "" : " split")
    }
  }
}
