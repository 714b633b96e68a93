import Booking
import EventStore
import Ordering
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

/// Every order in which a hold's end, the payment's webhook (once, twice, or cut off by the death of the process that
/// takes it), another buyer, a cancellation and a restart can come: enumerated, not sampled.
@Suite("Payment against everything else", .timeLimit(.minutes(20)))
struct LatePaymentTests {
  enum Step: String, CaseIterable, Sendable {
    /// The hold's time is over, and the timer says so.
    case expire
    /// The webhook: the first time with effect, the second time as a duplicate.
    case pay
    /// The process that takes the webhook dies when it has stored the fact.
    case payAndDie
    /// Another buyer wants the seat, and buys it on account if it is free.
    case other
    case cancel
    /// Another process takes up what it finds.
    case restart
  }

  /// All sequences without repetition over all subsets, with no, one or two payments.
  static let sequences: [[Step]] = {
    let optional: [Step] = [.expire, .other, .cancel, .restart]
    let payments: [[Step]] = [
      [], [.pay], [.pay, .pay], [.payAndDie],
    ]
    var result: Set<[Step]> = []
    for mask in 0..<16 {
      let subset = optional.enumerated().filter { mask & (1 << $0.offset) != 0 }.map(\.element)
      for payment in payments { result.formUnion(permutations(subset + payment)) }
    }
    return result.sorted { $0.map(\.rawValue).lexicographicallyPrecedes($1.map(\.rawValue)) }
  }()

  static func permutations(_ steps: [Step]) -> [[Step]] {
    guard let last = steps.last else { return [[]] }
    return permutations(steps.dropLast()).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [last] + Array(rest[$0...]) }
    }
  }

  @Test("every interleaving ends with the seat and its price, or without both")
  func everyInterleaving() async throws {
    #expect(Self.sequences.count == 1272)
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(servicesConfiguration(conninfo), size: 12) { pool in
        let bank = TestBank()
        try await withThrowingTaskGroup(of: Void.self) { group in
          for lane in 0..<16 {
            group.addTask {
              for number in stride(from: lane, to: Self.sequences.count, by: 16) {
                try await play(Self.sequences[number], number, pool, bank)
              }
            }
          }
          try await group.waitForAll()
        }
        // Whoever was cut off is taken up by a process that starts when all of it is over.
        let aisle = Aisle(
          pool: pool, time: SteeredClock(ServicesFixture.start + .seconds(86_000)).source,
          payments: bank.connection)
        try await settle(aisle)
        var confirmed = 0
        for (number, steps) in Self.sequences.enumerated() {
          let outcome = try await aisle.outcome(
            of: Self.order(number), seat: Self.seat, in: Self.show(number), at: bank)
          #expect(outcome.isRight(price: 4500), "\(steps.map(\.rawValue)): \(outcome)")
          confirmed += outcome.isConfirmed ? 1 : 0
        }
        // The ledger says of the bank what the bank says, and nothing is on its way back any more.
        let kept = (0..<Self.sequences.count).reduce(Int64(0)) { $0 + bank.kept(of: Self.order($1).payment) }
        let ledger = try #require(try await aisle.billing.trialBalance().currencies.first)
        let balances = Dictionary(
          uniqueKeysWithValues: ledger.entries.map { ($0.ledgerAccount, $0.balance.minorUnits) })
        #expect(ledger.isBalanced)
        #expect(balances["cash"] == kept && balances["refunds_payable"] == 0)
        // Both ends occur, or this shows nothing.
        #expect((1..<Self.sequences.count).contains(confirmed))
      }
    }
  }

  /// Until four rounds in a row went well. On a machine that is busy with other things, the server ends a transaction
  /// that pauses for too long; workers then try again, and so does this.
  private func settle(_ aisle: Aisle) async throws {
    var calm = 0
    for _ in 1...40 where calm < 4 {
      do {
        try await aisle.catchUp()
        try await aisle.process.tick()
        calm += 1
      } catch let error as PostgresError where error.isConnectionLost {
        calm = 0
      }
    }
    try #require(calm == 4)
  }

  private static let seat = SeatID(unchecked: "A-1")
  private static func show(_ number: Int) -> ShowID { ShowID(unchecked: "show-\(number)") }
  private static func order(_ number: Int) -> OrderID { OrderID(unchecked: "order-\(number)") }

  private func play(_ steps: [Step], _ number: Int, _ pool: PostgresPool, _ bank: TestBank) async throws {
    let clock = SteeredClock(ServicesFixture.start)
    let show = Self.show(number)
    let order = Self.order(number)
    var process = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
    try await process.schedule(show.rawValue, seats: 1)
    let hold = try await process.hold(["A-1"], of: show, by: "ann")
    let placed = try await process.aisle.ordering.place(
      order, hold: hold, account: AccountID(unchecked: "acc-1"), paymentMethod: "bank:card")
    #expect(placed.payment?.received == nil)
    for (index, step) in steps.enumerated() {
      switch step {
      case .expire:
        clock.advance(by: .seconds(601))
        try await ignoringRefusals { () async throws(ServiceError) in
          _ = try await process.aisle.booking.expire(hold)
        }
      case .pay:
        bank.pay(order.payment)
        try await process.aisle.succeeded(order, Money(4500, .eur), notice: "n-\(number)", from: bank)
      case .payAndDie:
        bank.pay(order.payment)
        try await process.store(.receivePayment(order.payment, Money(4500, .eur)), of: order)
        process = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
      case .other:
        try await ignoringRefusals { () async throws(ServiceError) in
          let theirs = HoldID(unchecked: "\(show):bob-\(index)")
          _ = try await process.aisle.booking.hold(
            theirs, show: show, buyer: BuyerID(unchecked: "bob"), seats: .named([Self.seat]))
          _ = try await process.aisle.ordering.place(
            OrderID(unchecked: "bob-\(number)"), hold: theirs, account: AccountID(unchecked: "acc-2"),
            paymentMethod: "invoice")
        }
      case .cancel:
        try await ignoringRefusals { () async throws(ServiceError) in
          _ = try await process.aisle.ordering.cancel(order)
        }
      case .restart:
        process = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
        try await process.aisle.ordering.resume(order, RequestContext())
      }
    }
  }

  /// An answer that says no is an answer.
  private func ignoringRefusals(_ body: () async throws(ServiceError) -> Void) async throws {
    do throws(ServiceError) {
      try await body()
    } catch .bookingRejected, .orderRejected {
      return
    }
  }
}
