import Vocabulary

extension Court {
  /// Rebuilds the seats of each show from the log, version by version, and holds every view against the version that it
  /// said it was of.
  func viewsEqualLogAtTheirVersion(_ invariant: Invariant) async throws -> InvariantResult {
    var rows: [[String]] = []
    var versions = 0
    let fresh = performance.views.filter(\.isNew)
    for show in plan.shows {
      let views = fresh.filter { $0.show == show.id }.sorted { $0.version < $1.version }
      guard !views.isEmpty else { continue }
      versions += Set(views.map(\.version)).count
      let changes = try await connection.query(
        """
        select e.version, e.type, coalesce(e.data ->> 'hold_id', ''),
               array(select jsonb_array_elements_text(e.data -> 'seats')), (e.data ->> 'expires_at')::timestamptz
        from log_event e
        where e.category = 'show' and substr(e.stream, 6) = \(show.id.rawValue)
        order by e.version
        """)
      var next = 0
      var state = SeatsAtVersion()
      for view in views {
        while next < changes.count {
          guard try changes[next].column(0, as: Int64.self) <= view.version else { break }
          state.take(
            try changes[next].column(1, as: String.self), of: try changes[next].column(2, as: String.self),
            try changes[next].column(3, as: [String].self).map { SeatID(unchecked: $0) },
            until: try changes[next].column(4, as: Timestamp?.self))
          next += 1
        }
        let expected = state.taken(at: view.simulatedAt)
        guard expected != view.taken else { continue }
        let wrong = Set(expected.keys).union(view.taken.keys).filter { expected[$0] != view.taken[$0] }
          .sorted()
        rows.append([
          view.who, show.id.rawValue, "\(view.version)",
          wrong.prefix(5).map(\.rawValue).joined(separator: " "),
          "\(wrong.count)",
        ])
      }
    }
    let log = finding(
      rows,
      holds: "\(counted(fresh.count, "view")) of \(counted(versions, "version")), each as the log has it; "
        + "\(Numerals.grouped(performance.views.count - fresh.count)) answered with \"not modified\"."
    ) { "\(counted($0, "view")) of \(Numerals.grouped(fresh.count)) not as the log has that version." }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      // One version alone says nothing about a sale.
      holds: versions > 1 || !rows.isEmpty,
      details: rows.isEmpty
        ? nil : .init(columns: ["who", "show", "version", "seats that differ", "how many"], rows: rows))
  }

  /// Whoever began to look after somebody had been shown a version must not have been shown an older one.
  func viewsNeverGoBack(_ invariant: Invariant) -> InvariantResult {
    var rows: [[String]] = []
    for (show, views) in Dictionary(grouping: performance.views, by: \.show) {
      let byEnd = views.sorted { $0.endMicroseconds < $1.endMicroseconds }
      var next = 0
      var newest: SeatView?
      for view in views.sorted(by: { $0.startMicroseconds < $1.startMicroseconds }) {
        while next < byEnd.count, byEnd[next].endMicroseconds < view.startMicroseconds {
          if byEnd[next].version > newest?.version ?? .min { newest = byEnd[next] }
          next += 1
        }
        guard let newest, view.version < newest.version else { continue }
        rows.append([
          view.who, show.rawValue, "\(view.version)", newest.who, "\(newest.version)",
          Numerals.duration(microseconds: view.startMicroseconds - newest.endMicroseconds),
        ])
      }
    }
    let lookers = Set(performance.views.map(\.who)).count
    return InvariantResult(
      invariant,
      evidence: rows.isEmpty
        ? "\(counted(performance.views.count, "look")) of \(counted(lookers, "person", "people")), never at an older state "
          + "than had been shown."
        : "\(counted(rows.count, "look")) at an older state than had been shown before; first \(rows[0][0]).",
      holds: rows.isEmpty && !performance.views.isEmpty,
      details: rows.isEmpty
        ? nil
        : .init(
          columns: ["who", "show", "was shown", "after", "had been shown", "so much earlier"], rows: rows))
  }
}

/// The seats that are taken at one version of a show.
private struct SeatsAtVersion {
  private var seats: [SeatID: (hold: String, isBooked: Bool)] = [:]
  private var ends: [String: Timestamp] = [:]

  mutating func take(_ type: String, of hold: String, _ changed: [SeatID], until end: Timestamp?) {
    switch type {
    case "seats-held":
      for seat in changed { seats[seat] = (hold, false) }
      ends[hold] = end
    case "hold-extended": ends[hold] = end
    case "hold-confirmed": for seat in changed { seats[seat] = (hold, true) }
    case "hold-released", "hold-expired", "booking-cancelled", "booking-seats-cancelled":
      for seat in changed { seats[seat] = nil }
    default: break
    }
  }

  /// A hold whose time is over does not count, whether or not the log says so already.
  func taken(at now: Timestamp) -> [SeatID: String] {
    seats.compactMapValues { seat in
      if seat.isBooked { return "booked" }
      return ends[seat.hold].map { $0 > now } ?? true ? "held" : nil
    }
  }
}
