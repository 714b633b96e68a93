import Booking
import EventStore
import Services
import Synchronization
import Vocabulary

/// The seat plans of shows, read once from their streams, for the strategies that choose seats themselves.
final class HouseCatalog: Sendable {
  private let store: EventStore
  private let shows = Mutex<[ShowID: Booking.ShowScheduled]>([:])

  init(store: EventStore) { self.store = store }

  func show(_ id: ShowID) async throws -> Booking.ShowScheduled {
    if let show = shows.withLock({ $0[id] }) { return show }
    guard let show = try await store.scheduledShow(id) else {
      throw ServiceError.notFound(kind: "show", id: id.rawValue)
    }
    shows.withLock { $0[id] = show }
    return show
  }
}

extension Booking.ShowScheduled {
  /// What a wish comes to while some seats are taken.
  enum Choice {
    case seats([SeatID])
    case refused(String)
    /// Others have these.
    case unavailable([SeatID])
  }

  func choose(_ wish: PlannedWish, taken: Set<SeatID>) -> Choice {
    switch wish {
    case .named(let seats):
      guard seats.allSatisfy({ plan.index(of: $0) != nil }) else { return .refused("unknown-seats") }
      let conflicts = seats.filter(taken.contains)
      return conflicts.isEmpty ? .seats(seats) : .unavailable(conflicts)
    case .best(let best):
      let (count, section) = (best.count, best.section)
      // The plainest choice, side by side and without the show's rules: whoever sells seats like this sells them twice
      // anyway.
      for part in plan.sections where section == nil || part.id == section {
        if let capacity = part.capacity {
          let free = (1...capacity).lazy.map { SeatID(unchecked: "\(part.id)-\($0)") }
            .filter { !taken.contains($0) }.prefix(count)
          if free.count == count { return .seats(Array(free)) }
        }
        for row in part.rows {
          var block: [SeatID] = []
          for number in 1...max(row.seats, 1) {
            let seat = SeatID(unchecked: "\(row.id)-\(number)")
            if taken.contains(seat) { block = [] } else { block.append(seat) }
            if block.count == count { return .seats(block) }
          }
        }
      }
      return .refused("no-adjacent-seats")
    }
  }
}
