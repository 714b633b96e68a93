import EventStore
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("Waiting rooms of several processes", .timeLimit(.minutes(3)))
struct WaitingRoomTests {
  private static let show = ShowID(unchecked: "hamlet")

  private static func place(_ number: Int) -> PlaceID { PlaceID(unchecked: "hamlet:\(number)") }

  /// Two processes with nothing in common but the database, and the owner of it.
  private func withProcesses(
    _ terms: WaitingRoom.Terms,
    _ body: @Sendable ([WaitingRooms], PostgresPool) async throws -> Void
  ) async throws {
    try await ServicesFixture.with { first in
      try await first.schedule(seats: 1)
      let second = try first.secondProcess()
      do {
        let rooms = [first, second].map {
          WaitingRooms(store: $0.aisle.store, patience: .zero, admissionInterval: .zero)
        }
        _ = try await rooms[0].open(Self.show, terms)
        try await withPool(first.conninfo, size: 2) { try await body(rooms, $0) }
      } catch {
        await second.pool.close()
        throw error
      }
      await second.pool.close()
    }
  }

  @Test(
    "whatever two processes do at once, no more are in than may be, tickets have no gaps, and nobody overtakes"
  )
  func fairAndBounded() async throws {
    var random = SeededRandom(for: "two processes, one waiting room")
    let seed = random.next()
    try await withProcesses(.init(shoppers: 5)) { rooms, owner in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<150 {
          group.addTask {
            let id = Self.place(number)
            let choice = (seed >> UInt64(number % 48)) &+ UInt64(number)
            let (here, there) = (rooms[Int(choice % 2)], rooms[Int(choice / 2 % 2)])
            _ = try await here.join(id, show: Self.show, buyer: BuyerID(unchecked: "buyer-\(number)"))
            let seen = try await eventually("place \(number) is admitted", within: .seconds(60)) {
              try await there.look(id)
            } until: {
              $0.status != .waiting
            }
            #expect(seen.status == .admitted)
            try await there.requireAdmission(
              seen.admission?.text, to: Self.show, buyer: BuyerID(unchecked: "buyer-\(number)"))
            if choice % 10 == 0 {
              // Stays until the time is over.
              try await owner.execute(
                "update aisle.waiting_places set expires_at = clock_timestamp() where tenant = 1 and place_id = \(id.rawValue)"
              )
              _ = try await there.look(id)
            } else {
              try await here.leave(id)
            }
          }
        }
        try await group.waitForAll()
      }
      struct Stay {
        let ticket: Int64
        let start: Timestamp
        let end: Timestamp
      }
      let stays = try await owner.query(
        "select ticket, admitted_at, ended_at from aisle.waiting_places where tenant = 1 order by ticket"
      ).map { row in
        let (ticket, start, end) = try row.decode(Int64.self, Timestamp.self, Timestamp.self)
        return Stay(ticket: ticket, start: start, end: end)
      }
      #expect(stays.map(\.ticket) == Array(1...150))
      // At the same instant, who goes out makes room for who comes in.
      let changes =
        (stays.map { (at: $0.start, change: 1) } + stays.map { (at: $0.end, change: -1) })
        .sorted { ($0.at, $0.change) < ($1.at, $1.change) }
      var (inside, most) = (0, 0)
      for (_, change) in changes {
        inside += change
        most = max(most, inside)
      }
      #expect(inside == 0 && most == 5)
      #expect(zip(stays, stays.dropFirst()).allSatisfy { $0.start <= $1.start })
      let status = try await rooms[1].status(of: Self.show)
      #expect(status.waiting == 0 && status.admitted == 0)
    }
  }

  @Test(
    "who comes before the opening is let in by lot after it, drawn once, and who comes later is behind all of them"
  )
  func lot() async throws {
    let opening = Timestamp(rfc3339: "2090-01-01T00:00:00Z")
    try await withProcesses(.init(shoppers: 5, opensAt: opening)) { rooms, owner in
      func join(_ number: Int) async throws -> WaitingPlace {
        try await rooms[number % 2].join(
          Self.place(number), show: Self.show, buyer: BuyerID(unchecked: "buyer-\(number)")
        ).place
      }
      for number in 0..<60 {
        let place = try await join(number)
        #expect(place.status == .waiting && place.position == nil && place.opensAt == opening)
      }
      let before = try await rooms[0].status(of: Self.show)
      #expect(before.waiting == 60 && before.admitted == 0)
      // When it opens
      try await owner.execute(
        "update aisle.waiting_rooms set opens_at = clock_timestamp() where tenant = 1 and show_id = 'hamlet'")
      _ = try await rooms[0].look(Self.place(0))
      let late = try await join(60)
      let places = try await (0..<60).map { $0 }.asyncMap { try await rooms[$0 % 2].look(Self.place($0)) }
      // Then
      #expect(late.position == 56 && late.opensAt == nil)
      #expect(places.count { $0.status == .admitted } == 5)
      let positions = places.compactMap(\.position)
      // That 55 lots come out in the order of joining does not happen.
      #expect(positions.sorted() == Array(1...55) && positions != Array(1...55))
      // Other terms do not draw again.
      _ = try await rooms[1].open(Self.show, .init(shoppers: 5, capacity: 70, opensAt: TimeSource.system.now))
      let again = try await (0..<60).map { $0 }.asyncMap { try await rooms[$0 % 2].look(Self.place($0)) }
      #expect(again.map(\.position) == places.map(\.position))
    }
  }

  @Test("a place is the same for every process, and outlives them all")
  func durable() async throws {
    try await withProcesses(.init(shoppers: 1)) { rooms, owner in
      for number in 0..<4 {
        _ = try await rooms[number % 2].join(
          Self.place(number), show: Self.show, buyer: BuyerID(unchecked: "buyer-\(number)"))
      }
      for room in rooms {
        let positions = try await [1, 2, 3].asyncMap { try await room.look(Self.place($0)).position }
        #expect(positions == [1, 2, 3])
      }
      let admitted = try await rooms[0].look(Self.place(0))
      // The other process accepts what this one has signed, and so does one that is started later.
      try await rooms[1].requireAdmission(
        admitted.admission?.text, to: Self.show, buyer: BuyerID(unchecked: "buyer-0"))
      let other = try await rooms[1].look(Self.place(0))
      #expect(other.admission?.text == admitted.admission?.text)
    }
  }

  @Test("names of buyers are not stored")
  func pseudonyms() async throws {
    try await withProcesses(.init(shoppers: 1)) { rooms, owner in
      _ = try await rooms[0].join(Self.place(1), show: Self.show, buyer: BuyerID(unchecked: "hathaway"))
      let found = try await owner.query(
        """
        select (select count(*) from aisle.waiting_places p where p.tenant = 1),
               (select count(*) from aisle.waiting_places p where p.tenant = 1 and p::text like '%hathaway%')
        """
      ).first?.decode(Int.self, Int.self)
      #expect(found?.0 == 1 && found?.1 == 0)
    }
  }

  @Test(
    "looking at places reads as many rows as places, and letting somebody in a handful, however many wait")
  func cost() async throws {
    try await withProcesses(.init(shoppers: 10)) { rooms, owner in
      try await owner.withConnection { connection in
        try await connection.executeScript(
          """
          insert into aisle.waiting_places (tenant, place_id, show_id, buyer, ticket, status, joined_at, seen_at)
          select 1, 'hamlet:' || n, 'hamlet', 'b' || n, n, 'waiting', now(), now() from generate_series(1, 20000) n;
          update aisle.waiting_rooms set tickets = 20000, waiting = 20000, swept_at = now()
          """)
        func rowsRead(by statement: SQL) async throws -> Int {
          try await connection.transaction {
            try await connection.query(statement)
            return try await connection.query(
              """
              select (seq_tup_read + idx_tup_fetch)::bigint
              from pg_stat_xact_user_tables
              where schemaname = 'aisle' and relname = 'waiting_places'
              """
            ).first?.decode(Int.self) ?? -1
          }
        }
        let places = (1...100).map { "hamlet:\($0 * 199)" }
        let looking = try await rowsRead(
          by: "select * from aisle.look_at_waiting_places(1, 'hamlet', \(places)::text[])")
        #expect((100...400).contains(looking))
        let admitting = try await rowsRead(by: "select aisle.admit_waiting(1, 'hamlet')")
        #expect((10...1_100).contains(admitting))
        let leaving = try await rowsRead(
          by: "select aisle.end_waiting_places(1, 'hamlet', \(["hamlet:15000"])::text[], '{}')")
        #expect((1...1_000).contains(leaving))
      }
      let place = try await rooms[0].look(PlaceID(unchecked: "hamlet:19900"))
      #expect(place.position == 19_890)
    }
  }
}

extension Array {
  fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result]
  {
    var results: [Result] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
