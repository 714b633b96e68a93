import EventStore
import Services
import Vocabulary

/// A random history of accounts that open and move, of orders and cancellations that crowds the edges: month ends in every zone, hours
/// that daylight saving repeats or leaves out, taxes of exactly half a minor unit, currencies of 0, 2 and 3 digits.
struct BillingHistory {
  enum Step: Sendable {
    case open(account: String, timeZone: String)
    case move(account: String, timeZone: String)
    case append(StreamAppend)
  }

  static let accounts: [(name: String, timeZone: String?)] = [
    ("new-york", "America/New_York"), ("rome", "Europe/Rome"), ("kolkata", "Asia/Kolkata"),
    ("auckland", "Pacific/Auckland"), ("utc", "UTC"), ("never-opened", nil),
  ]

  private var numbers: SeededNumbers
  private var unopened = BillingHistory.accounts.compactMap { account in
    account.timeZone.map { (account.name, $0) }
  }
  private var opened: [String] = []
  private var open: [BilledOrder] = []
  private var count = 0

  init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

  /// The next steps. Accounts are opened at random among them, often after their first orders.
  mutating func steps(_ count: Int) throws -> [Step] {
    var steps: [Step] = []
    while steps.count < count {
      switch Int.random(in: 0..<20, using: &numbers) {
      case 0 where !unopened.isEmpty:
        let (account, timeZone) = unopened.remove(at: Int.random(in: 0..<unopened.count, using: &numbers))
        steps.append(.open(account: account, timeZone: timeZone))
        opened.append(account)
      case 0 where !opened.isEmpty:
        let zones = Self.accounts.compactMap(\.timeZone) + ["Pacific/Kiritimati", "Pacific/Pago_Pago"]
        steps.append(
          .move(
            account: opened[Int.random(in: 0..<opened.count, using: &numbers)],
            timeZone: zones[Int.random(in: 0..<zones.count, using: &numbers)]))
      case 1...4 where !open.isEmpty:
        var order = open.remove(at: Int.random(in: 0..<open.count, using: &numbers))
        if order.seatsLeft > 1, Bool.random(using: &numbers) {
          let fee = Int64.random(in: 0...order.nextPrice, using: &numbers)
          steps.append(.append(try order.givesOneBack(keeping: fee, at: instant())))
          open.append(order)
        } else {
          steps.append(.append(try order.cancelled(at: instant())))
        }
      case 5:
        steps.append(.append(try order().abandoned()))
      default:
        let order = order()
        steps.append(.append(try order.confirmed()))
        open.append(order)
      }
    }
    return steps
  }

  private mutating func order() -> BilledOrder {
    count += 1
    let account = Self.accounts[Int.random(in: 0..<Self.accounts.count, using: &numbers)].name
    let currency = [Currency.eur, .eur, .jpy, .kwd][Int.random(in: 0..<4, using: &numbers)]
    let seats = (0..<Int.random(in: 1...4, using: &numbers)).map { _ in (amount: amount(), rate: rate()) }
    return BilledOrder(id: "o\(count)", account: account, at: instant(), currency: currency, seats: seats)
  }

  private mutating func amount() -> Int64 {
    switch Int.random(in: 0..<10, using: &numbers) {
    case 0: 0
    case 1...4: Int64.random(in: 1...99, using: &numbers)
    case 5...8: Int64.random(in: 100...99_999, using: &numbers)
    // Its product with a tax rate does not fit into 64 bits.
    default: Int64.random(in: 1_000_000_000_000_000...2_000_000_000_000_000, using: &numbers)
    }
  }

  /// At 100 % every odd amount is a tie; at 60 % (÷ 1.6) every multiple of 4 that is not one of 8.
  private mutating func rate() -> Int {
    [0, 550, 700, 1900, 2000, 6000, 10_000, Int.random(in: 0...10_000, using: &numbers)][
      Int.random(in: 0..<8, using: &numbers)]
  }

  private mutating func instant() -> Timestamp {
    let day: Int64 = 86_400_000_000
    let edges: [Int64] = [
      // Starts of months from December 2025 to January 2027 by UTC, in days since 1970.
      20423, 20454, 20485, 20513, 20544, 20574, 20605, 20635, 20666, 20697, 20727, 20758, 20788, 20819,
      // Clocks change: Auckland 5 April and 27 September, New York 8 March and 1 November, Rome 29 March and
      // 25 October 2026.
      20548, 20723, 20520, 20758, 20541, 20751,
    ]
    let edge = edges[Int.random(in: 0..<edges.count, using: &numbers)] * day
    switch Int.random(in: 0..<4, using: &numbers) {
    case 0:
      // Exactly midnight of some zone, or the microsecond before it.
      let offsets: [Int64] = [0, 4, 5, -1, -2, -13, -12]
      let hours = offsets[Int.random(in: 0..<offsets.count, using: &numbers)]
      let before = Int64.random(in: 0...1, using: &numbers)
      return Timestamp(microseconds: edge + hours * 3_600_000_000 - before)
    case 1:
      // Kolkata's midnight is at half past.
      let before = Int64.random(in: 0...1, using: &numbers)
      return Timestamp(microseconds: edge - 19_800_000_000 - before)
    default:
      return Timestamp(microseconds: edge + Int64.random(in: -day...day, using: &numbers))
    }
  }
}

extension BillingFixture {
  func play(_ steps: [BillingHistory.Step]) async throws {
    for step in steps {
      switch step {
      case .open(let account, let timeZone): try await open(account, in: timeZone)
      case .move(let account, let timeZone):
        try await billing.changeZone(of: AccountID(unchecked: account), to: timeZone, RequestContext())
      case .append(let append): try await self.append([append])
      }
    }
  }
}
