import Vocabulary

extension Court {
  /// Of what buyers were told alone, without a look at the log: so that a log that is consistent with itself, and not
  /// with what was answered, is found out too.
  func seatsLinearizable(_ invariant: Invariant) -> InvariantResult {
    var operations: [ShowID: [SeatID: [SeatOperation]]] = [:]
    var seatsOfHold: [HoldID: [SeatID]] = [:]
    let ttl = Dictionary(plan.shows.map { ($0.id, $0.holdTTL) }) { first, _ in first }
    for exchange in performance.exchanges {
      if case .hold(let hold, _, _, _) = exchange.request, exchange.answer.verdict == .done {
        seatsOfHold[hold] = exchange.answer.seats
      }
    }
    var holdOfOrder: [OrderID: HoldID] = [:]
    for exchange in performance.exchanges {
      switch exchange.request {
      case .order(let order, let hold, _, _), .pay(let order, let hold, _, _, _): holdOfOrder[order] = hold
      default: break
      }
    }
    for exchange in performance.exchanges {
      let (show, seats, kind) = effect(of: exchange, ttl: ttl, seatsOfHold, holdOfOrder)
      guard let kind else { continue }
      for seat in seats {
        operations[show, default: [:]][seat, default: []].append(
          SeatOperation(
            kind: kind, at: exchange.simulatedAt, start: exchange.startMicroseconds,
            end: exchange.endMicroseconds,
            isCertain: exchange.answer.verdict != .error && !exchange.answer.isPending))
      }
    }
    var rows: [[String]] = []
    var checked = (seats: 0, operations: 0)
    for show in plan.shows {
      let soldBefore = Set(show.seatsAlreadySold)
      for (seat, operations) in operations[show.id] ?? [:] {
        checked.seats += 1
        checked.operations += operations.count
        let first: SeatLinearizer.Seat =
          soldBefore.contains(seat) ? .booked(HoldID(unchecked: "\(show.id):sold-before")) : .free
        guard let wrong = SeatLinearizer(operations, first: first).contradiction() else { continue }
        rows.append([show.id.rawValue, seat.rawValue, wrong.kind.text, "\(operations.count)"])
      }
    }
    rows.sort { ($0[0], $0[1]) < ($1[0], $1[1]) }
    return InvariantResult(
      invariant,
      evidence: rows.isEmpty
        ? "\(counted(checked.operations, "answer")) about \(counted(checked.seats, "seat")), in an order that explains them "
          + "all."
        : "\(counted(rows.count, "seat")) with answers that no order explains; first \(rows[0][1]): \(rows[0][2]).",
      holds: rows.isEmpty && checked.operations > 0,
      details: rows.isEmpty
        ? nil : .init(columns: ["show", "seat", "cannot be explained", "answers about it"], rows: rows))
  }

  /// What an exchange says about which seats.
  private func effect(
    of exchange: Journal.Exchange, ttl: [ShowID: Duration], _ seatsOfHold: [HoldID: [SeatID]],
    _ holdOfOrder: [OrderID: HoldID]
  ) -> (ShowID, [SeatID], SeatOperation.Kind?) {
    let answer = exchange.answer
    switch exchange.request {
    case .hold(let hold, let show, _, let wish):
      let kind = SeatOperation.Kind.taken(hold, until: exchange.simulatedAt + (ttl[show] ?? .zero))
      switch (answer.verdict, wish) {
      case (.done, _): return (show, answer.seats, kind)
      // Which seats, if any, nobody knows where the system was to choose.
      case (.error, .named(let seats)): return (show, seats, kind)
      case (.refused, _) where answer.reason == "seats-unavailable": return (show, answer.seats, .seenTaken)
      case (.error, .best), (.refused, _): return (show, [], nil)
      }
    case .order(_, let hold, let show, _), .pay(_, let hold, let show, _, _):
      let seats = seatsOfHold[hold] ?? []
      switch answer.verdict {
      case .done, .error: return (show, seats, .booked(hold))
      case .refused: return (show, seats, answer.reason == "hold-expired" ? .seenLost(hold) : nil)
      }
    case .cancel(let order, let show):
      guard let hold = holdOfOrder[order], answer.verdict != .refused else { return (show, [], nil) }
      return (show, seatsOfHold[hold] ?? [], .freed(hold))
    case .giveBack(let order, let show, let seats, _):
      guard let hold = holdOfOrder[order], answer.verdict != .refused else { return (show, [], nil) }
      let given = answer.verdict == .done ? answer.seats : seats ?? seatsOfHold[hold] ?? []
      return (show, given, .freed(hold))
    case .ask(_, let show), .join(_, let show, _, _), .seeOffer(_, let show), .transfer(_, let show, _, _):
      return (show, [], nil)
    }
  }
}

extension SeatOperation.Kind {
  fileprivate var text: String {
    switch self {
    case .taken(let hold, _): "went to hold \(hold)"
    case .booked(let hold): "was booked by hold \(hold)"
    case .freed(let hold): "was given back by hold \(hold)"
    case .seenTaken: "was refused as taken"
    case .seenLost(let hold): "was said to be lost to hold \(hold)"
    }
  }
}
