import Vocabulary

extension Court {
  /// Where a show forbids it, nobody who took seats left a free seat beside them that has no free seat beside itself.
  /// Seats under a hold whose time was over count as free, for that is what they were.
  func noForbiddenOrphans(_ invariant: Invariant) async throws -> InvariantResult {
    let shows = plan.shows.filter { $0.policy.orphans == .forbidden }
    var rows: [[String]] = []
    var looked = 0
    for show in shows {
      var history = SeatHistory(show)
      // Holds that are not over yet, by what the log says, with their ends.
      var held: [String: (seats: [SeatID], until: Timestamp)] = [:]
      let events = try await connection.query(
        """
        select e.position, e.type, coalesce(e.data ->> 'hold_id', ''),
               array(select jsonb_array_elements_text(e.data -> 'seats')),
               (e.data ->> 'held_at')::timestamptz, (e.data ->> 'expires_at')::timestamptz
        from log_event e
        where e.category = 'show' and substr(e.stream, 6) = \(show.id.rawValue) and e.type <> 'show-scheduled'
        order by e.position
        """)
      for event in events {
        let position = try event.column(0, as: Int64.self)
        let (type, hold) = (try event.column(1, as: String.self), try event.column(2, as: String.self))
        let seats = try event.column(3, as: [String].self).map { SeatID(unchecked: $0) }
        let end = try event.column(5, as: Timestamp?.self)
        switch type {
        case "seats-held":
          guard let now = try event.column(4, as: Timestamp?.self), let end else { continue }
          for (other, terms) in held where terms.until <= now {
            for seat in terms.seats { history.change(seat, isTaken: false, at: position) }
            held[other] = nil
          }
          for seat in seats { history.change(seat, isTaken: true, at: position) }
          held[hold] = (seats, end)
          looked += 1
          for seat in history.alone(beside: seats) {
            rows.append([show.id.rawValue, seat.rawValue, hold, "\(position)"])
          }
        case "hold-extended": if let end { held[hold]?.until = end }
        case "hold-confirmed": held[hold] = nil
        case "hold-expired":
          // What was taken over meanwhile is another's.
          guard held.removeValue(forKey: hold) != nil else { continue }
          for seat in seats { history.change(seat, isTaken: false, at: position) }
        default:
          held[hold] = nil
          for seat in seats { history.change(seat, isTaken: false, at: position) }
        }
      }
    }
    let log = finding(rows, holds: "\(counted(looked, "hold")), none of which left a seat alone.") {
      "\(counted($0, "seat")) left alone, the first \(rows[0][1]) by hold \(rows[0][2])."
    }
    return InvariantResult(
      invariant,
      evidence: looked > 0
        ? log.evidence : "No show forbids it, or nobody took seats: nothing was put to the test.",
      fromLog: log, holds: looked > 0,
      details: rows.isEmpty
        ? nil : .init(columns: ["show", "seat left alone", "by hold", "position"], rows: rows))
  }
}
