import Booking
import Testing
import Vocabulary

/// Folds the events of a show on its own, in the plainest way, and objects to any that should not be there.
struct Audit {
  struct Owner: Equatable {
    let hold: HoldID
    let heldAt: Timestamp
    var expiresAt: Timestamp
    var order: OrderID?
  }

  var plan = Lear.plan
  var seats: [SeatID] = []
  var owners: [SeatID: Owner] = [:]
  var everHeld: Set<HoldID> = []
  var isCancelled = false

  mutating func check(_ event: Booking.Event, at now: Timestamp) {
    switch event {
    case .showScheduled(let fact):
      plan = fact.plan
      seats = Array(plan.seats)
    case .seatsHeld(let fact):
      #expect(everHeld.insert(fact.holdID).inserted && !isCancelled)
      #expect(fact.heldAt == now && fact.expiresAt == now + .seconds(60))
      #expect(fact.total.minorUnits == fact.seats.reduce(0) { $0 + (plan.price(of: $1) ?? -1) })
      for seat in fact.seats {
        #expect(seats.contains(seat) && owners[seat] == nil, "\(seat) is held twice")
        owners[seat] = Owner(hold: fact.holdID, heldAt: fact.heldAt, expiresAt: fact.expiresAt)
      }
    case .holdExtended(let fact):
      let own = owners.filter { $0.value.hold == fact.holdID }
      #expect(!own.isEmpty && own.values.allSatisfy { $0.order == nil && $0.expiresAt > now })
      #expect(
        own.values.allSatisfy { $0.expiresAt < fact.expiresAt && fact.expiresAt <= $0.heldAt + .seconds(150) }
      )
      for seat in own.keys { owners[seat]?.expiresAt = fact.expiresAt }
    case .showCancelled: isCancelled = true
    case .waitingListJoined, .waitingListLeft: break
    case .holdConfirmed(let fact):
      #expect(!isCancelled)
      expectAll(of: fact.holdID, are: fact.seats) { $0.order == nil && $0.expiresAt > now }
      for seat in fact.seats { owners[seat]?.order = fact.orderID }
    case .holdReleased(let fact):
      expectAll(of: fact.holdID, are: fact.seats) { $0.order == nil && $0.expiresAt > now }
      for seat in fact.seats { owners[seat] = nil }
    case .holdExpired(let fact):
      expectAll(of: fact.holdID, are: fact.seats) { $0.order == nil && $0.expiresAt <= now }
      for seat in fact.seats { owners[seat] = nil }
    case .bookingCancelled(let fact):
      expectAll(of: fact.holdID, are: fact.seats) { $0.order == fact.orderID }
      for seat in fact.seats { owners[seat] = nil }
    case .bookingSeatsCancelled(let fact):
      #expect(!fact.seats.isEmpty && own(fact.holdID).count > fact.seats.count)
      for seat in fact.seats {
        #expect(owners[seat]?.hold == fact.holdID && owners[seat]?.order == fact.orderID)
        owners[seat] = nil
      }
    }
  }

  private func expectAll(of hold: HoldID, are seats: [SeatID], and condition: (Owner) -> Bool) {
    let own = owners.filter { $0.value.hold == hold }
    #expect(Set(own.keys) == Set(seats) && own.count == seats.count && !seats.isEmpty)
    let allFit = own.values.allSatisfy(condition)
    #expect(allFit, "\(own)")
  }

  func isFree(_ seat: SeatID, at now: Timestamp) -> Bool {
    guard let owner = owners[seat] else { return true }
    return owner.order == nil && owner.expiresAt <= now
  }

  /// The state says about every seat what the events say, and the seats add up.
  func compare(with state: Booking.State, at now: Timestamp) {
    for seat in seats {
      let expected: Booking.Occupancy =
        if isFree(seat, at: now) {
          .available
        } else if let owner = owners[seat], let order = owner.order {
          .booked(owner.hold, order)
        } else {
          .held(owners[seat]?.hold ?? "nobody")
        }
      #expect(state.occupancy(of: seat, at: now) == expected)
    }
    let count = state.seatCount(at: now)
    #expect(count.available + count.held + count.booked == plan.totalSeats)
    #expect(count.booked == owners.values.count { $0.order != nil })
    #expect(count.available == seats.count { isFree($0, at: now) })

    let live = owners.values.filter { $0.order == nil }
    #expect(state.nextExpiry == live.map(\.expiresAt).min())
    #expect(Set(state.overdueHolds(at: now)) == Set(live.filter { $0.expiresAt <= now }.map(\.hold)))
  }

  /// The first block, by looking at every seat.
  func firstBlock(of count: Int, in section: SectionID?, at now: Timestamp) -> [SeatID]? {
    for candidate in plan.sections where section == nil || candidate.id == section {
      for row in candidate.rows where row.seats >= count {
        for first in 1...(row.seats - count + 1) {
          let block = (first..<first + count).map { SeatID(unchecked: "\(row.id)-\($0)") }
          if block.allSatisfy({ isFree($0, at: now) }) { return block }
        }
      }
    }
    return nil
  }

  func seats(heldBy event: Booking.Event?) -> [SeatID]? {
    guard case .seatsHeld(let fact)? = event else { return nil }
    return fact.seats
  }

  /// Whether there was this reason to refuse `command`.
  func agrees(with rejection: Booking.Rejection, to command: Booking.Command, at now: Timestamp) -> Bool {
    switch (rejection, command) {
    case (.seatsUnavailable(let conflicts), .hold(let hold)):
      guard case .named(let asked) = hold.seats else { return false }
      return conflicts.map(\.seat) == asked.filter { !isFree($0, at: now) }
        && conflicts.allSatisfy { ($0.state == .booked) == (owners[$0.seat]?.order != nil) }
    case (.noAdjacentSeats(let count), .hold(let hold)):
      guard case .best(let best) = hold.seats, best.count == count else { return false }
      return firstBlock(of: count, in: best.section, at: now) == nil
    case (.idReused(let id), .hold): return everHeld.contains(id)
    case (.holdNotFound(let id), _): return !everHeld.contains(id)
    case (.showCancelled, .hold), (.showCancelled, .extend), (.showCancelled, .confirm): return isCancelled
    case (.holdExpired(let id), .confirm), (.holdExpired(let id), .extend):
      return everHeld.contains(id) && own(id).allSatisfy { $0.order == nil && $0.expiresAt <= now }
    case (.holdReleased(let id), .confirm), (.holdReleased(let id), .extend),
      (.notConfirmed(let id), .cancelBooking):
      return everHeld.contains(id) && own(id).allSatisfy { $0.order == nil }
    case (.holdAlreadyConfirmed(let order), .release(let id, _)),
      (.holdAlreadyConfirmed(let order), .expire(let id)):
      return !own(id).isEmpty && own(id).allSatisfy { $0.order == order }
    case (.holdAlreadyConfirmed(let order), .extend(let id)):
      return everHeld.contains(id) && own(id).allSatisfy { $0.order == order }
    case (.holdAlreadyConfirmed(let order), .cancelBooking(let id, let asking)):
      return order != asking && everHeld.contains(id) && own(id).allSatisfy { $0.order == order }
    case (.notConfirmed(let id), .cancelSeats):
      return everHeld.contains(id) && own(id).allSatisfy { $0.order == nil }
    case (.holdAlreadyConfirmed(let order), .cancelSeats(let id, let asking, _)):
      return order != asking && everHeld.contains(id) && own(id).allSatisfy { $0.order == order }
    case (.holdNotYetExpired(let id, let until), .expire):
      return !own(id).isEmpty && own(id).allSatisfy { $0.expiresAt == until && until > now }
    default: return false
    }
  }

  private func own(_ hold: HoldID) -> [Owner] {
    owners.values.filter { $0.hold == hold }
  }
}
