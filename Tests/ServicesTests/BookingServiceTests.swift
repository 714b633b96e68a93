import Booking
import EventStore
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("Booking")
struct BookingServiceTests {
  /// What became of each buyer who wanted the same seat.
  private func race(_ buyers: Int, for show: ShowID, in fixtures: [ServicesFixture]) async -> [String] {
    await withTaskGroup(of: String.self) { group in
      for number in 0..<buyers {
        let fixture = fixtures[number % fixtures.count]
        group.addTask {
          do {
            _ = try await fixture.hold(["A-1"], of: show, by: "buyer-\(number)")
            return "won"
          } catch ServiceError.bookingRejected(.seatsUnavailable(let conflicts)) {
            return conflicts.map { "\($0.seat) \($0.state)" }.joined()
          } catch {
            return "\(error)"
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  @Test("of 100 buyers who want the last seat, one wins and 99 are told who has it")
  func lastSeat() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 1)
      let outcomes = await race(100, for: show, in: [fixture])
      #expect(outcomes.filter { $0 == "won" }.count == 1)
      #expect(outcomes.filter { $0 == "A-1 held" }.count == 99)
      #expect(try await fixture.types(of: .show(show)) == ["show-scheduled", "seats-held"])
    }
  }

  @Test("two processes that know nothing of each other sell the last seat once")
  func lastSeatOfTwoProcesses() async throws {
    try await ServicesFixture.with { first in
      let second = try first.secondProcess()
      for round in 1...20 {
        let show = try await first.schedule("round-\(round)", seats: 1)
        let outcomes = await race(8, for: show, in: [first, second])
        #expect(outcomes.filter { $0 == "won" }.count == 1)
        #expect(outcomes.filter { $0 == "A-1 held" }.count == 7)
      }
      await second.pool.close()
    }
  }

  @Test("a seat that another process has freed is sold at once, although this one remembers it as taken")
  func staleRefusal() async throws {
    try await ServicesFixture.with { first in
      let second = try first.secondProcess()
      let show = try await first.schedule(seats: 1)
      let hold = try await first.hold(["A-1"], of: show, by: "ann")
      // Given the second process has folded the show with the seat taken
      await #expect(throws: ServiceError.self) { try await second.hold(["A-1"], of: show, by: "bob") }
      // When the first one frees it
      _ = try await first.aisle.booking.release(hold, reason: "buyer")
      // Then the second one sells it
      _ = try await second.hold(["A-1"], of: show, by: "bob", id: "bob-2")
      await second.pool.close()
    }
  }

  @Test("a show that has sold much is opened from a snapshot by a process that meets it for the first time")
  func snapshot() async throws {
    try await ServicesFixture.with { first in
      let show = try await first.schedule(seats: 300)
      let booking = BookingService(
        store: first.aisle.store, time: first.clock.source, eventsPerSnapshot: 500)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...251 {
          group.addTask {
            let hold = HoldID(unchecked: "\(show):buyer-\(number)")
            _ = try await booking.hold(
              hold, show: show, buyer: BuyerID(unchecked: "buyer-\(number)"),
              seats: .named([SeatID(unchecked: "A-\(number)")]))
            _ = try await booking.confirm(hold, for: OrderID(unchecked: "order-\(number)"))
          }
        }
        try await group.waitForAll()
      }
      let kept = try await eventually("a snapshot", within: .seconds(60)) {
        try await first.pool.query("select version from aisle.snapshots where stream = 'show-hamlet'")
          .map { try $0.decode(Int64.self) }
      } until: {
        !$0.isEmpty
      }
      #expect(kept[0] >= 500 && kept[0] <= 503)
      // What the snapshot covers is out of the second process's reach.
      try await withPool(first.conninfo) { owner in
        _ = try await owner.execute("update aisle.events set data = '{}' where version <= \(kept[0])")
      }
      let second = try first.secondProcess()
      await #expect(throws: ServiceError.self) { try await second.hold(["A-7"], of: show, by: "late") }
      _ = try await second.hold(["A-300"], of: show, by: "late", id: "late-2")
      _ = try await second.aisle.booking.cancelBooking(
        HoldID(unchecked: "hamlet:buyer-7"), for: OrderID(unchecked: "order-7"))
      _ = try await second.hold(["A-7"], of: show, by: "late", id: "late-3")
      await second.pool.close()
    }
  }

  @Test("buyers of different seats do not disturb each other, whatever the number of conflicts")
  func differentSeats() async throws {
    try await ServicesFixture.with { first in
      let second = try first.secondProcess()
      let show = try await first.schedule(seats: 60)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...60 {
          let fixture = number % 2 == 0 ? first : second
          group.addTask { _ = try await fixture.hold(["A-\(number)"], of: show, by: "buyer-\(number)") }
        }
        try await group.waitForAll()
      }
      let taken = try await first.aisle.catchUpAndList(show)
      #expect(taken.count == 60)
      await second.pool.close()
    }
  }

  @Test("the same hold sent four times at once is one hold")
  func repeats() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 2)
      let holds = try await withThrowingTaskGroup(of: HoldID.self) { group in
        for _ in 1...4 { group.addTask { try await fixture.hold(["A-1", "A-2"], of: show, by: "ann") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(holds).count == 1)
      #expect(try await fixture.types(of: .show(show)) == ["show-scheduled", "seats-held"])
    }
  }

  @Test("one command whose content cannot be stored does not harm those decided with it")
  func poison() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 20)
      let outcomes = await withTaskGroup(of: Bool.self) { group in
        for number in 1...20 {
          group.addTask {
            do {
              let hold = try await fixture.hold(["A-\(number)"], of: show, by: "buyer-\(number)")
              // jsonb refuses the NUL character.
              let reason = number == 7 ? "\u{0}" : "buyer"
              _ = try await fixture.aisle.booking.release(hold, reason: reason)
              return true
            } catch {
              return false
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 }.count == 19)
      #expect(try await fixture.aisle.catchUpAndList(show).map(\.seat.rawValue) == ["A-7"])
    }
  }

  @Test("a hold ends by the durable timer, and its seat can be held again")
  func expiry() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 1)
      let hold = try await fixture.hold(["A-1"], of: show, by: "ann")
      try await fixture.aisle.catchUp()
      fixture.clock.advance(by: .seconds(601))
      // When a process that has never heard of the hold looks at what is due
      let second = try fixture.secondProcess()
      try await second.aisle.process.tick()
      try await second.aisle.catchUp()
      #expect(try await fixture.aisle.readModels.hold(hold)?.status == "expired")
      #expect(try await fixture.types(of: .show(show)) == ["show-scheduled", "seats-held", "hold-expired"])
      _ = try await fixture.hold(["A-1"], of: show, by: "bob")
      await second.pool.close()
    }
  }

  @Test("the seat map is the show's stream, folded")
  func seatMap() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 5)
      let kept = try await fixture.hold(["A-1", "A-2"], of: show, by: "ann")
      let released = try await fixture.hold(["A-3"], of: show, by: "bob")
      _ = try await fixture.hold(["A-4"], of: show, by: "cem")
      _ = try await fixture.aisle.booking.release(released, reason: "buyer")
      _ = try await fixture.place("o-1", for: kept)
      let taken = try await fixture.aisle.catchUpAndList(show)
      #expect(taken.map { "\($0.seat) \($0.state)" } == ["A-1 booked", "A-2 booked", "A-4 held"])
      let version = try await fixture.aisle.store.version(of: .show(show))
      #expect(try await fixture.aisle.readModels.show(show)?.version == version)
    }
  }

  @Test("a cancelled show sells nothing more in any process, and is shown as cancelled; its bookings stay")
  func cancelledShow() async throws {
    try await ServicesFixture.with { first in
      let second = try first.secondProcess()
      let show = try await first.schedule(seats: 3)
      _ = try await first.place("o1", for: first.hold(["A-1"], of: show, by: "ann"))
      _ = try await second.hold(["A-2"], of: show, by: "bob")
      try await first.aisle.booking.cancelShow(show, reason: "fire")
      #expect(try await !first.aisle.booking.cancelShow(show, reason: "fire").changed)
      await #expect {
        try await second.hold(["A-3"], of: show, by: "cem")
      } throws: { error in
        if case ServiceError.bookingRejected(.showCancelled) = error { true } else { false }
      }
      // Nothing but the fact itself: what follows from it is done by those who hear of it.
      #expect(
        try await first.types(of: .show(show)) == [
          "show-scheduled", "seats-held", "hold-confirmed", "seats-held", "show-cancelled",
        ])
      try await first.aisle.catchUp()
      let view = try #require(try await first.aisle.readModels.show(show))
      #expect(view.cancelledAt == ServicesFixture.start)
      await second.pool.close()
    }
  }

  @Test("seats that one process frees are offered to who joined the waiting list in another")
  func waitingListOfTwoProcesses() async throws {
    try await ServicesFixture.with { first in
      let second = try first.secondProcess()
      let show = try await first.schedule(seats: 2)
      let hold = try await first.hold(["A-1", "A-2"], of: show, by: "ann")
      let wish = Booking.Best(count: 1)
      let entries = ["bob", "cem"].map { WaitingID(unchecked: "\(show):w-\($0)") }
      for (entry, buyer) in zip(entries, ["bob", "cem"]) {
        let joined = try await second.aisle.booking.joinWaitingList(
          entry, show: show, buyer: BuyerID(unchecked: buyer), wish: wish)
        #expect(joined.entry.phase == .waiting)
      }
      _ = try await first.aisle.booking.release(hold, reason: "changed my mind")
      for (entry, seat) in zip(entries, ["A-1", "A-2"]) {
        let waiting = try await second.aisle.booking.waiting(entry)
        #expect(waiting.entry.phase == .offered)
        #expect(waiting.offer?.terms.seats.map(\.rawValue) == [seat])
      }
      #expect(
        try await first.types(of: .show(show)) == [
          "show-scheduled", "seats-held", "waiting-list-joined", "waiting-list-joined", "hold-released",
          "seats-held", "seats-held",
        ])
      // The timer ends what nobody takes.
      first.clock.advance(by: .seconds(3_600))
      try await first.aisle.catchUp()
      try await first.aisle.process.tick()
      #expect(try await second.aisle.booking.waiting(entries[0]).entry.phase == .lapsed)
      await second.pool.close()
    }
  }

  @Test("an extension is remembered by the read model and by the timer")
  func extensionAndTimer() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 1)
      let hold = try await fixture.hold(["A-1"], of: show, by: "ann")
      fixture.clock.advance(by: .seconds(500))
      let extended = try await fixture.aisle.booking.extend(hold)
      #expect(extended.hold.expiresAt == ServicesFixture.start + .seconds(1_100))
      try await fixture.aisle.catchUp()
      fixture.clock.advance(by: .seconds(200))
      try await fixture.aisle.process.tick()
      #expect(try await fixture.types(of: .show(show)).last == "hold-extended")
      fixture.clock.advance(by: .seconds(400))
      try await fixture.aisle.process.tick()
      #expect(try await fixture.types(of: .show(show)).last == "hold-expired")
    }
  }
}

extension Aisle {
  /// The taken seats after everything in the log has taken effect.
  func catchUpAndList(_ show: ShowID) async throws -> [TakenSeat] {
    try await catchUp()
    return try await readModels.takenSeats(of: show, at: time.now)
  }
}
