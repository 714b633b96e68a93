import Booking
import Vocabulary

extension Court {
  /// Follows each show's line by its events alone: who joined when, who was offered what, and which seats were free then.
  func waitingListInOrder(_ invariant: Invariant) async throws -> InvariantResult {
    var rows: [[String]] = []
    var offers = 0
    var passedOver = 0
    var stillWaiting = 0
    for show in plan.shows {
      let events = try await connection.query(
        """
        select e.position, e.type, e.data ->> 'hold_id', e.data ->> 'waiting_id', e.data ->> 'buyer',
               array(select jsonb_array_elements_text(e.data -> 'seats')), (e.data -> 'wish')::text
        from log_event e
        where e.category = 'show' and substr(e.stream, 6) = \(show.id.rawValue) and e.type <> 'show-scheduled'
        order by e.position
        """)
      var line = LineHistory(show)
      for event in events {
        let position = try event.column(0, as: Int64.self)
        let seats = try event.column(5, as: [String].self).map { SeatID(unchecked: $0) }
        let buyer = try event.column(4, as: String?.self) ?? ""
        let waiting = try event.column(3, as: String?.self)
        let hold = try event.column(2, as: String?.self) ?? ""
        switch try event.column(1, as: String.self) {
        case "waiting-list-joined":
          line.join(waiting ?? "", buyer, wish: try wish(event.column(6, as: String?.self)))
        case "waiting-list-left": line.leave(waiting ?? "")
        case "seats-held":
          let verdict = line.hold(hold, of: buyer, offeredTo: waiting, seats, at: position)
          if waiting != nil { offers += 1 }
          passedOver += verdict.passedOver
          rows += verdict.faults.map { [show.id.rawValue, $0.who, $0.what, hold, "\(position)"] }
        case "hold-confirmed", "hold-extended": break
        case "show-cancelled": line.close()
        default: line.free(hold, seats, at: position)
        }
      }
      stillWaiting += line.waiting
      rows += line.overlooked.map {
        [show.id.rawValue, $0, "waits while seats that fit are free", "–", "the end"]
      }
    }
    let log = finding(
      rows,
      holds:
        "\(counted(offers, "offer")) in the order of the line, \(counted(passedOver, "time")) past somebody whom nothing "
        + "fitted; \(Numerals.grouped(stillWaiting)) still wait, and nothing that is free would do for them."
    ) { "\(counted($0, "person was", "people were")) passed over, the first \(rows[0][1]): \(rows[0][2])." }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log, holds: offers > 0 || !rows.isEmpty ? nil : false,
      details: rows.isEmpty
        ? nil : .init(columns: ["show", "who waits", "what happened", "hold", "position"], rows: rows))
  }

  private func wish(_ json: String?) throws -> Booking.Best {
    try JSONLine.decode(json ?? "", as: Booking.Best.self)
  }
}

/// A show's line and its seats, from event to event.
private struct LineHistory {
  private struct Waiter {
    let id: String
    let buyer: String
    let wish: Booking.Best
  }

  struct Verdict {
    var faults: [(who: String, what: String)] = []
    /// Those whom nothing fitted.
    var passedOver = 0
  }

  private var seats: SeatHistory
  private let limit: Int?
  private var line: [Waiter] = []
  /// Seats that each buyer has, where there is a limit.
  private var has: [String: Int] = [:]
  private var holders: [String: String] = [:]
  private var isClosed = false

  init(_ show: ShowOnSale) {
    seats = SeatHistory(show)
    limit = show.policy.seatsPerBuyer
  }

  var waiting: Int { line.count }

  /// Who could still be served at the end.
  var overlooked: [String] { isClosed ? [] : line.filter(canServe).map(\.buyer) }

  mutating func join(_ id: String, _ buyer: String, wish: Booking.Best) {
    line.append(Waiter(id: id, buyer: buyer, wish: wish))
  }

  mutating func leave(_ id: String) { line.removeAll { $0.id == id } }

  mutating func close() { isClosed = true }

  mutating func hold(
    _ hold: String, of buyer: String, offeredTo waiting: String?, _ taken: [SeatID], at position: Int64
  ) -> Verdict {
    var verdict = Verdict()
    let ahead: ArraySlice<Waiter>
    if let waiting {
      if let place = line.firstIndex(where: { $0.id == waiting }) {
        if line[place].buyer != buyer || line[place].wish.count != taken.count {
          verdict.faults.append((line[place].buyer, "was offered other seats, or somebody else was"))
        }
        ahead = line[..<place]
      } else {
        verdict.faults.append((waiting, "was offered seats without waiting"))
        ahead = []
      }
    } else {
      ahead = line[...]
    }
    for waiter in ahead {
      if canServe(waiter) {
        verdict.faults.append((waiter.buyer, waiting == nil ? "sold past the line" : "jumped in the line"))
      } else if waiting != nil {
        verdict.passedOver += 1
      }
    }
    if let waiting { leave(waiting) }
    for seat in taken { seats.change(seat, isTaken: true, at: position) }
    has[buyer, default: 0] += taken.count
    holders[hold] = buyer
    return verdict
  }

  mutating func free(_ hold: String, _ freed: [SeatID], at position: Int64) {
    for seat in freed { seats.change(seat, isTaken: false, at: position) }
    if let buyer = holders[hold] { has[buyer, default: 0] -= freed.count }
  }

  private func canServe(_ waiter: Waiter) -> Bool {
    if let limit, has[waiter.buyer, default: 0] + waiter.wish.count > limit { return false }
    return seats.canServe(.best(waiter.wish))
  }
}
