import Synchronization
import Vocabulary

/// What each buyer has come to have: only they know which of their orders is the present one.
final class Purses: Sendable {
  struct Purse: Sendable {
    var order: OrderID
    var hold: HoldID
    var seats: [SeatID]
    /// Whether the payment has no answer yet.
    var isPending: Bool
    /// How often they have changed their seats.
    var moves = 0
  }

  private let purses = Mutex<[Int: Purse]>([:])

  subscript(buyer: Int) -> Purse? {
    get { purses.withLock { $0[buyer] } }
  }

  func keep(_ purse: Purse?, of buyer: Int) { purses.withLock { $0[buyer] = purse } }
}

/// What a booking desk knows: which seats it last saw taken, and by what lot it chooses another. One does one thing after
/// the other, so nobody else uses it meanwhile.
final class Desks: Sendable {
  private struct Desk {
    var taken: [ShowID: Set<SeatID>] = [:]
    var views: [ShowID: SeatView] = [:]
    var lot: SeededGenerator
  }

  private let desks = Mutex<[Int: Desk]>([:])
  private let seats: [ShowID: [SeatID]]
  private let seed: UInt64

  init(_ plan: ScenarioPlan) {
    seed = plan.seed
    seats = Dictionary(plan.shows.map { ($0.id, $0.seatIDs) }) { first, _ in first }
  }

  func lastView(_ desk: Int, of show: ShowID) -> SeatView? { desks.withLock { $0[desk]?.views[show] } }

  func saw(_ view: SeatView, _ desk: Int) {
    with(desk) { desk in
      guard view.isNew else { return }
      desk.views[view.show] = view
      desk.taken[view.show] = Set(view.taken.keys)
    }
  }

  func learned(_ seats: [SeatID], of show: ShowID, areTaken: Bool, _ desk: Int) {
    with(desk) { desk in
      if areTaken {
        desk.taken[show, default: []].formUnion(seats)
      } else {
        desk.taken[show]?.subtract(seats)
      }
    }
  }

  /// A seat that is free as far as the desk knows; nil if it knows of none.
  func pick(_ desk: Int, in show: ShowID) -> SeatID? {
    let all = seats[show] ?? []
    return with(desk) { desk in
      let taken = desk.taken[show] ?? []
      let free = all.filter { !taken.contains($0) }
      return free.isEmpty ? nil : free[desk.lot.number(in: 0...free.count - 1)]
    }
  }

  private func with<T>(_ number: Int, _ body: (inout Desk) -> T) -> T {
    desks.withLock { desks in
      var desk = desks[number] ?? Desk(lot: SeededGenerator(seed: seed, subject: "desk-\(number)"))
      defer { desks[number] = desk }
      return body(&desk)
    }
  }
}
