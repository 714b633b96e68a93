import Booking
import EventStore
import Services
import Synchronization
import Vocabulary

/// A show's decider with one thing about it changed, for controls: commands are decided one after the other on the folded
/// stream, as the services do it, but what is folded goes through `alter` first.
actor AlteredHouse {
  struct Decided: Sendable {
    let seats: [SeatID]
    let version: Int64
    let position: Position
  }

  private let show: ShowID
  private let store: EventStore
  private let alter: @Sendable (Booking.Event) -> Booking.Event?
  private let expectsVersion: Bool
  private var state = Booking.State()
  private var version: Int64 = 0
  /// Who comes next waits for this one.
  private var last: Task<Void, Never>?

  /// - Parameters:
  ///   - expectsVersion: false leaves out what decides a race.
  ///   - alter: what is folded in place of an event; nil for nothing.
  init(
    show: ShowID, store: EventStore, expectsVersion: Bool = true,
    alter: @escaping @Sendable (Booking.Event) -> Booking.Event? = { $0 }
  ) {
    self.show = show
    self.store = store
    self.expectsVersion = expectsVersion
    self.alter = alter
  }

  /// - Parameter isOffer: the hold is made for who waits under its name.
  func decide(
    _ command: Booking.Command, of hold: HoldID, at now: Timestamp, isOffer: Bool = false
  ) async throws -> Decided {
    guard expectsVersion else { return try await decideNow(command, of: hold, at: now, isOffer: isOffer) }
    let before = last
    let task = Task {
      await before?.value
      return try await self.decideNow(command, of: hold, at: now, isOffer: isOffer)
    }
    last = Task { _ = await task.result }
    return try await task.value
  }

  private func decideNow(
    _ command: Booking.Command, of hold: HoldID, at now: Timestamp, isOffer: Bool
  ) async throws -> Decided {
    while true {
      try await readOn()
      let events = try Booking.decide(command, state, at: now).map { isOffer ? $0.offered(as: hold) : $0 }
      guard !events.isEmpty else {
        return Decided(seats: seats(of: hold), version: version, position: try await store.head())
      }
      let outcome = try await store.append(
        to: .show(show), expecting: expectsVersion ? .version(version) : .any,
        try events.map { try NewEvent($0) })
      switch outcome {
      case .committed(let receipt), .duplicate(let receipt):
        var seats = seats(of: hold)
        for case .seatsHeld(let fact) in events where fact.holdID == hold { seats = fact.seats }
        return Decided(
          seats: seats, version: receipt.streams.first?.version ?? version, position: receipt.position)
      case .conflict: continue
      case .unknown(let error): throw ServiceError.outcomeUnknown("\(error)")
      }
    }
  }

  private func seats(of hold: HoldID) -> [SeatID] { state.hold(hold)?.terms.seats ?? [] }

  /// What is read twice, since two asked at the same time, is folded once.
  private func readOn() async throws {
    while true {
      let events = try await store.read(.show(show), from: version + 1, limit: 5_000)
      for event in events where event.version == version + 1 {
        if let fact = alter(try event.decode(as: Booking.Event.self)) { Booking.evolve(&state, fact) }
        version = event.version
      }
      if events.count < 5_000 { return }
    }
  }
}

/// One for each show.
final class AlteredHouses: Sendable {
  private let make: @Sendable (ShowID) -> AlteredHouse
  private let all = Mutex<[ShowID: AlteredHouse]>([:])

  init(make: @escaping @Sendable (ShowID) -> AlteredHouse) { self.make = make }

  subscript(show: ShowID) -> AlteredHouse {
    all.withLock { all in
      if let house = all[show] { return house }
      let house = make(show)
      all[show] = house
      return house
    }
  }
}

extension Booking.Event {
  fileprivate func offered(as hold: HoldID) -> Booking.Event {
    guard case .seatsHeld(let fact) = self, fact.holdID == hold else { return self }
    return .seatsHeld(
      Booking.SeatsHeld(
        holdID: fact.holdID, buyer: fact.buyer, seats: fact.seats, total: fact.total, heldAt: fact.heldAt,
        expiresAt: fact.expiresAt, waitingID: WaitingID(offeredAs: hold)))
  }
}
