import Vocabulary

/// Decides whether what buyers were told about one seat can be true: whether there is one order of all operations, each
/// between its request and its answer, in which a seat that one at a time can have would have given the same answers.
///
/// The search of Wing and Gong, with Lowe's memory of places that were seen before. It knows nothing of the booking
/// code: a seat here is free, held until an instant, or booked.
struct SeatLinearizer {
  enum Seat: Hashable {
    case free
    case held(HoldID, until: Timestamp)
    case booked(HoldID)
  }

  /// By start.
  private let operations: [SeatOperation]
  private let first: Seat

  init(_ operations: [SeatOperation], first: Seat = .free) {
    self.operations = operations.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    self.first = first
  }

  /// Nil if there is such an order; otherwise the operation that the search never got past.
  func contradiction() -> SeatOperation? {
    var walk = Walk(count: operations.count, seat: first)
    var seen: Set<Walk> = []
    var pending = [walk]
    var furthest: SeatOperation?
    while let next = pending.popLast() {
      walk = next
      settle(&walk)
      guard let deadline = deadline(walk) else { return nil }
      if furthest.map({ $0.end < deadline.end }) ?? true { furthest = deadline }
      guard seen.insert(walk).inserted else { continue }
      // The last that is pushed is tried first: the one that was answered first.
      for index in candidates(walk, until: deadline.end).sorted(by: {
        operations[$0].end > operations[$1].end
      }) {
        if let seat = effect(of: operations[index], on: walk.seat) {
          var further = walk
          further.do(index, seat: seat)
          pending.append(further)
        }
      }
    }
    return furthest
  }

  /// How far an order has got.
  private struct Walk: Hashable {
    private var done: [UInt64]
    /// All before this one are done.
    private(set) var next = 0
    var seat: Seat

    init(count: Int, seat: Seat) {
      done = Array(repeating: 0, count: (count + 63) / 64)
      self.seat = seat
    }

    func isDone(_ index: Int) -> Bool { done[index / 64] & 1 << UInt64(index % 64) != 0 }

    mutating func `do`(_ index: Int, seat: Seat) {
      done[index / 64] |= 1 << UInt64(index % 64)
      self.seat = seat
      while next < done.count * 64, isDone(next) { next += 1 }
    }
  }

  /// Whatever only looks at the seat, and sees it as it is now, is as well done now as later.
  private func settle(_ walk: inout Walk) {
    while let deadline = deadline(walk) {
      let looks = candidates(walk, until: deadline.end).filter { index in
        operations[index].kind.onlyLooks && effect(of: operations[index], on: walk.seat) != nil
      }
      guard !looks.isEmpty else { return }
      for index in looks { walk.do(index, seat: walk.seat) }
    }
  }

  /// The certain operation that was answered first of those that are still to be done; nil when all are.
  private func deadline(_ walk: Walk) -> SeatOperation? {
    var earliest: SeatOperation?
    for index in walk.next..<max(walk.next, operations.count) where !walk.isDone(index) {
      let operation = operations[index]
      if let end = earliest?.end, operation.start > end { break }
      if operation.isCertain, operation.end < earliest?.end ?? .max { earliest = operation }
    }
    return earliest
  }

  /// What may come next: whatever was sent before the deadline.
  private func candidates(_ walk: Walk, until deadline: Int64) -> [Int] {
    var found: [Int] = []
    for index in walk.next..<max(walk.next, operations.count) {
      if operations[index].start > deadline { break }
      if !walk.isDone(index) { found.append(index) }
    }
    return found
  }

  /// The seat after an operation; nil if the operation cannot have been answered so.
  private func effect(of operation: SeatOperation, on seat: Seat) -> Seat? {
    // A hold whose time is over has nothing. Who only looks leaves it at that.
    var present = seat
    if case .held(_, let until) = seat, until <= operation.at { present = .free }
    switch (operation.kind, present) {
    case (.taken(let hold, let until), .free): return .held(hold, until: until)
    case (.booked(let hold), .held(let holder, _)): return hold == holder ? .booked(hold) : nil
    case (.freed(let hold), .booked(let holder)): return hold == holder ? .free : nil
    case (.seenTaken, .held), (.seenTaken, .booked): return seat
    case (.seenLost(let hold), .held(let holder, _)): return hold == holder ? nil : seat
    case (.seenLost, _): return seat
    case (.taken, _), (.booked, _), (.freed, _), (.seenTaken, .free): return nil
    }
  }
}

extension SeatOperation.Kind {
  fileprivate var onlyLooks: Bool {
    switch self {
    case .seenTaken, .seenLost: true
    case .taken, .booked, .freed: false
    }
  }
}
