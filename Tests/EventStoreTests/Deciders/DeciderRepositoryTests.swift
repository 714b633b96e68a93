import EventStore
import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite("Deciding on streams")
struct DeciderRepositoryTests {
  private static let now = Timestamp(microseconds: 0)

  @Test("a command is appended at the version it was decided at, and its outcome is the stream after it")
  func execute() async throws {
    try await withStore { store in
      let purses = DeciderRepository<Purse>(store: store)
      let put = try await purses.execute(.put(5), on: stream("a"), at: Self.now, isNew: true)
      #expect(put.stream.version == 1 && put.stream.state.balance == 5 && put.events.count == 1)
      let spent = try await purses.execute(.spend(3), on: stream("a"), at: Self.now)
      #expect(spent.stream.version == 2 && spent.stream.state.balance == 2)
      #expect(spent.stream.position == Position(2))
      await #expect(throws: Purse.Rejection.tooLittle(balance: 2)) {
        try await purses.execute(.spend(3), on: stream("a"), at: Self.now)
      }
      let read = try await purses.state(of: stream("a"))
      #expect(read.version == 2 && read.state.balance == 2)
    }
  }

  @Test("what another process did meanwhile is taken into account, also by a refusal and by a repeat")
  func stale() async throws {
    try await withStores(2) { stores in
      let (mine, other) = (
        DeciderRepository<Purse>(store: stores[0]), DeciderRepository<Purse>(store: stores[1])
      )
      _ = try await mine.execute(.put(1), on: stream("a"), at: Self.now)
      // A refusal that is old
      _ = try await other.execute(.put(9), on: stream("a"), at: Self.now)
      let spent = try await mine.execute(.spend(10), on: stream("a"), at: Self.now)
      #expect(spent.stream.state.balance == 0 && spent.stream.version == 3)
      // A permission that is old
      _ = try await mine.execute(.put(4), on: stream("a"), at: Self.now)
      _ = try await other.execute(.spend(4), on: stream("a"), at: Self.now)
      await #expect(throws: Purse.Rejection.tooLittle(balance: 0)) {
        try await mine.execute(.spend(4), on: stream("a"), at: Self.now)
      }
      // A repeat
      _ = try await other.execute(.close, on: stream("a"), at: Self.now)
      let closed = try await mine.execute(.close, on: stream("a"), at: Self.now)
      #expect(closed.events.isEmpty && closed.stream.version == 6)
      // A repeat whose effect is gone
      _ = try await other.execute(.reopen, on: stream("a"), at: Self.now)
      let again = try await mine.execute(.close, on: stream("a"), at: Self.now)
      #expect(again.events.count == 1 && again.stream.version == 8)
    }
  }

  @Test("a command that others keep getting in the way of ends with an error that says so, and does nothing")
  func contended() async throws {
    try await withStores(2) { stores in
      let patient = DeciderRepository<Purse>(store: stores[0])
      _ = try await patient.execute(.put(100), on: stream("a"), at: Self.now)
      // Its one try is made with a state that is old by then.
      let hasty = DeciderRepository<Purse>(store: stores[1], maximumTries: 1)
      _ = try await hasty.state(of: stream("a"))
      _ = try await patient.execute(.put(1), on: stream("a"), at: Self.now)
      await #expect(throws: StreamContended.self) {
        try await hasty.execute(.spend(1), on: stream("a"), at: Self.now)
      }
      let balance = try await patient.state(of: stream("a")).state.balance
      #expect(balance == 101)
      // And what it has learned from that, it keeps.
      let spent = try await hasty.execute(.spend(1), on: stream("a"), at: Self.now)
      #expect(spent.stream.state.balance == 100)
    }
  }

  @Test("a state that the database knows nothing of, as after a lossy fail-over, is given up")
  func aheadOfTheLog() async throws {
    try await withStore { store in
      let purses = DeciderRepository<Purse>(
        store: store, snapshots: .every(1, schema: 1))
      _ = try await purses.execute(.put(5), on: stream("a"), at: Self.now)
      _ = try await purses.execute(.put(5), on: stream("a"), at: Self.now)
      // The second event is lost, and with it all that says that it was there.
      try await store.pool.transaction { connection in
        try await connection.executeScript(
          """
          delete from aisle.events where version = 2;
          delete from aisle.event_ids where position = 2;
          update aisle.streams set version = 1;
          update aisle.log_head set position = 1
          """)
      }
      let read = try await purses.state(of: stream("a"))
      #expect(read.version == 1 && read.state.balance == 5)
      let spent = try await purses.execute(.spend(5), on: stream("a"), at: Self.now)
      #expect(spent.stream.version == 2 && spent.stream.state.balance == 0)
    }
  }

  @Test("however old the states are that processes remember, a command is decided on the stream as it is")
  func anyStaleness() async throws {
    var random = SeededRandom(for: "a stale state costs a conflict, never a wrong decision")
    for _ in 0..<4 {
      let plan = (0..<6).map { _ in
        (0..<60).map { _ in
          (stream: Int.random(in: 0..<4, using: &random), amount: Int.random(in: -9...8, using: &random))
        }
      }
      try await withStores(2) { stores in
        // Room for two of four streams: some states are old, some are folded anew, some come from snapshots.
        let processes = (0..<6).map { number in
          DeciderRepository<Purse>(
            store: stores[number % 2], snapshots: number < 3 ? .every(3, schema: 1) : .never,
            cachedStates: 2, maximumTries: 1_000)
        }
        let refusals = Shared<[Refusal]>([])
        let done = Shared(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (process, commands) in zip(processes, plan) {
            group.addTask {
              for (name, amount) in commands {
                let purse = stream("purse-\(name)")
                let before = try await stores[0].version(of: purse)
                do {
                  _ = try await process.execute(
                    amount >= 0 ? .put(amount) : .spend(-amount), on: purse, at: Self.now)
                  done.update { $0 += 1 }
                } catch let rejection as Purse.Rejection {
                  let after = try await stores[0].version(of: purse)
                  refusals.update {
                    $0.append(Refusal(of: purse, amount: -amount, rejection, between: before, and: after))
                  }
                }
              }
            }
          }
          try await group.waitForAll()
        }
        // Then nothing was ever overdrawn
        var states: [StreamName: [Purse.State]] = [:]
        for number in 0..<4 {
          let purse = stream("purse-\(number)")
          states[purse] = try await stores[0].purseStates(purse)
          #expect(states[purse]?.allSatisfy { $0.balance >= 0 } == true)
        }
        #expect(states.values.reduce(0) { $0 + $1.count - 1 } == done.value)
        // and every refusal was right at some moment between question and answer.
        for refusal in refusals.value {
          let during = (states[refusal.stream] ?? [])[Int(refusal.before)...Int(refusal.after)]
          #expect(
            during.contains {
              $0.balance < refusal.amount && refusal.rejection == .tooLittle(balance: $0.balance)
            },
            "\(refusal)")
        }
        #expect(refusals.value.count > 10 && done.value > 10)
      }
    }
  }

  private struct Refusal: Sendable {
    let stream: StreamName
    let amount: Int
    let rejection: Purse.Rejection
    let before: Int64
    let after: Int64

    init(
      of stream: StreamName, amount: Int, _ rejection: Purse.Rejection, between before: Int64,
      and after: Int64
    ) {
      self.stream = stream
      self.amount = amount
      self.rejection = rejection
      self.before = before
      self.after = after
    }
  }
}
