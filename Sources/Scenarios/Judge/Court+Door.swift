import Services
import Vocabulary

/// What concerns waiting rooms, by what buyers were told at the door. Nothing here knows a ticket or an admission.
extension Court {
  /// The shows with a waiting room, and who came by it.
  private var doors: [(show: ShowID, terms: WaitingRoom.Terms, stays: [DoorStay])] {
    let stays = Dictionary(grouping: performance.stays.filter { !$0.asks.isEmpty }, by: \.show)
    return plan.shows.compactMap { show in show.waitingRoom.map { (show.id, $0, stays[show.id] ?? []) } }
  }

  /// Counts at each moment those who were inside for certain: who had been told so, and had not yet sent what ends it. There
  /// may have been more.
  func neverMoreInsideThanAllowed(_ invariant: Invariant) -> InvariantResult {
    var rows: [[String]] = []
    var brokenAt: Int64?
    var most = 0
    for (show, terms, stays) in doors {
      let inside = stays.compactMap { stay in stay.inside(terms).map { (stay.buyer, $0) } }
        .sorted { $0.1.lowerBound < $1.1.lowerBound }
      let ends = inside.map(\.1.upperBound).sorted()
      var gone = 0
      for (number, (buyer, range)) in inside.enumerated() {
        while gone < ends.count, ends[gone] <= range.lowerBound { gone += 1 }
        let count = number + 1 - gone
        most = max(most, count)
        guard count > terms.shoppers else { continue }
        rows.append([
          buyer.rawValue, show.rawValue, "\(count)", "\(terms.shoppers)",
          Numerals.duration(microseconds: range.lowerBound),
        ])
        brokenAt = min(brokenAt ?? .max, range.lowerBound)
      }
    }
    let waited = performance.stays.count { $0.lastWaiting != nil }
    return InvariantResult(
      invariant,
      evidence: rows.isEmpty
        ? "At most \(Numerals.grouped(most)) inside at once for certain; \(counted(waited, "buyer")) had to wait."
        : "\(counted(rows.count, "buyer was", "buyers were")) let in while all places were taken; "
          + "\(Numerals.grouped(most)) inside at once.",
      // Where nobody had to wait, nothing was put to the test.
      holds: rows.isEmpty && most > 0 && waited > 0,
      details: rows.isEmpty
        ? nil : .init(columns: ["who", "show", "inside then", "allowed", "told at"], rows: rows),
      brokenAtMicroseconds: brokenAt)
  }

  /// Whoever was told "not yet" when somebody was in already who had come after their own place was confirmed, was
  /// overtaken. Those who came at the same time may be let in in any order, and who does not ask has no turn.
  func doorInOrder(_ invariant: Invariant) -> InvariantResult {
    var rows: [[String]] = []
    var brokenAt: Int64?
    var patient = 0
    for (show, _, stays) in doors {
      let byComing = stays.filter { $0.toldMicroseconds != nil }
        .sorted { $0.asks[0].sentMicroseconds > $1.asks[0].sentMicroseconds }
      var next = 0
      var first: (buyer: BuyerID, told: Int64)?
      for stay in stays.sorted(by: { $0.asks[0].answeredMicroseconds > $1.asks[0].answeredMicroseconds }) {
        while next < byComing.count,
          byComing[next].asks[0].sentMicroseconds > stay.asks[0].answeredMicroseconds
        {
          if let told = byComing[next].toldMicroseconds, told < first?.told ?? .max {
            first = (byComing[next].buyer, told)
          }
          next += 1
        }
        guard let last = stay.lastWaiting else { continue }
        patient += 1
        guard let first, first.told < last.sentMicroseconds else { continue }
        rows.append([
          stay.buyer.rawValue, show.rawValue, first.buyer.rawValue,
          Numerals.duration(microseconds: first.told),
          Numerals.duration(microseconds: last.sentMicroseconds),
        ])
        brokenAt = min(brokenAt ?? .max, first.told)
      }
    }
    return InvariantResult(
      invariant,
      evidence: rows.isEmpty
        ? "\(counted(patient, "buyer")) waited and asked, and nobody who came later was let in meanwhile."
        : "\(counted(rows.count, "buyer")) of \(Numerals.grouped(patient)) overtaken; \(rows[0][0]) by \(rows[0][2]).",
      holds: rows.isEmpty && patient > 0,
      details: rows.isEmpty
        ? nil
        : .init(
          columns: ["who", "show", "overtaken by", "who was in at", "and was told to wait at"], rows: rows),
      brokenAtMicroseconds: brokenAt)
  }

  /// Of each hold in the log, and of each that somebody was told of.
  func nobodySneaksIn(_ invariant: Invariant) async throws -> InvariantResult {
    var told: [String: Int64] = [:]
    for (_, _, stays) in doors {
      for stay in stays { told[stay.buyer.rawValue] = stay.toldMicroseconds }
    }
    let shows = doors.map(\.show.rawValue)
    let holds = try await table(
      """
      select buyer, show_id, hold_id
      from log_hold
      where position > \(start) and show_id = any(\(shows))
      order by position
      """, columns: 3)
    let inLog = holds.filter { told[$0[0]] == nil }.map { $0 + ["was never let in"] }
    var early: [[String]] = []
    var brokenAt: Int64?
    for exchange in performance.exchanges where exchange.answer.verdict == .done {
      guard case .hold(let hold, let show, let buyer, _) = exchange.request, shows.contains(show.rawValue),
        told[buyer.rawValue] ?? .max > exchange.startMicroseconds
      else { continue }
      early.append([buyer.rawValue, show.rawValue, hold.rawValue, "asked before being let in"])
      brokenAt = min(brokenAt ?? .max, exchange.endMicroseconds)
    }
    let rows = inLog + early
    return InvariantResult(
      invariant,
      evidence: early.isEmpty
        ? "Nobody was given seats who had not been let in."
        : "\(counted(early.count, "buyer was", "buyers were")) given seats without having been let in.",
      fromLog: finding(inLog, holds: "\(counted(holds.count, "hold")), each of a buyer who was let in.") {
        "\(counted($0, "hold")) of buyers who never were let in."
      },
      holds: early.isEmpty && !holds.isEmpty,
      details: rows.isEmpty ? nil : .init(columns: ["buyer", "show", "hold", "what is wrong"], rows: rows),
      brokenAtMicroseconds: brokenAt)
  }
}
