import Booking
import EventStore
import Foundation
import PostgreSQL
import Services
import Vocabulary

/// Buyers in a closed loop: each holds the best seat, orders it, and begins again as soon as the order is confirmed.
public struct BookingLoad: Sendable, Codable {
  /// How seats are kept from being sold twice.
  public enum Method: String, Sendable, Codable, CaseIterable {
    /// The services that users run.
    case service
    /// The same over HTTP.
    case rest
    /// Fold, decide, append at the expected version, and on a conflict again: each buyer on their own.
    case retry
    /// `select … for update` on a table of seats, no events.
    case rowLock = "row-lock"
    /// The same, passing over seats that others have locked.
    case skipLocked = "skip-locked"
  }

  public struct Result: Sendable, Codable {
    public var confirmed = 0
    /// From the request for a seat to the confirmed order.
    public var microseconds: [Int] = []
    /// Buyers who were told no although there were seats.
    public var refusedWhileFree = 0
    public var errors: [String: Int] = [:]
    /// Appends to shows' streams, and those of them that another was faster than; nil where there are none.
    public var appends: Int?
    public var conflicts: Int?
    public var seconds = 0.0

    public init() {}
  }

  public let method: Method
  public let shows: [ShowID]
  public let contenders: Int
  public let seconds: Double
  /// Base URLs for ``Method/rest``.
  public let urls: [String]

  public init(method: Method, shows: [ShowID], contenders: Int, seconds: Double, urls: [String] = []) {
    self.method = method
    self.shows = shows
    self.contenders = contenders
    self.seconds = seconds
    self.urls = urls
  }

  /// An account that all buyers have.
  static let account = AccountID(unchecked: "bench")

  /// Puts shows on sale for a method.
  public static func open(
    _ shows: [ShowID], seats: Int, for method: Method, with aisle: Aisle
  ) async throws {
    if method == .rowLock || method == .skipLocked {
      return try await SeatTableOffice.open(shows, seats: seats, pool: aisle.store.pool)
    }
    for show in shows {
      try await aisle.booking.schedule(
        Booking.Schedule(
          showID: show, title: "A show on sale", startsAt: aisle.time.now + .seconds(86_400), currency: .eur,
          taxRateBasisPoints: 700, holdTTLSeconds: 600,
          sections: [
            .init(
              id: SectionID(unchecked: "floor"), price: 4500,
              rows: (1...(seats + 99) / 100).map { row in
                .init(id: RowID(unchecked: "r\(row)"), seats: min(100, seats - (row - 1) * 100))
              })
          ]))
    }
  }

  /// Lets the buyers loose until the time is over. There have to be more seats than they can buy.
  public func run(with aisle: Aisle) async throws -> Result {
    let before = aisle.booking.metrics.counts
    let retry = method == .retry ? RetryOffice(aisle: aisle) : nil
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    var result = try await withThrowingTaskGroup(of: Result.self) { group in
      for number in 0..<contenders {
        let show = shows[number % shows.count]
        group.addTask {
          switch method {
          case .service: await visits(StreamOffice(aisle: aisle), show, until: end)
          case .retry: await visits(retry ?? RetryOffice(aisle: aisle), show, until: end)
          case .rowLock: await visits(SeatTableOffice(aisle: aisle, skipsLocked: false), show, until: end)
          case .skipLocked: await visits(SeatTableOffice(aisle: aisle, skipsLocked: true), show, until: end)
          case .rest:
            try await RESTOffice.with(url: urls[number % urls.count]) { await visits($0, show, until: end) }
          }
        }
      }
      return try await group.reduce(into: Result()) { $0.add($1) }
    }
    result.seconds = start.duration(to: .now) / .seconds(1)
    let after = aisle.booking.metrics.counts
    switch method {
    case .service:
      result.conflicts = after.conflicts - before.conflicts
      result.appends = after.appends - before.appends + (result.conflicts ?? 0)
    case .retry: (result.appends, result.conflicts) = (retry?.appends, retry?.conflicts)
    case .rest, .rowLock, .skipLocked: break
    }
    return result
  }

  private func visits(
    _ office: some BoxOffice, _ show: ShowID, until end: ContinuousClock.Instant
  ) async -> Result {
    var result = Result()
    while true {
      let begun = ContinuousClock.now
      guard begun < end else { return result }
      let name = UUID().uuidString.lowercased()
      let hold = HoldID(unchecked: "\(show):\(name)")
      let order = OrderID(unchecked: name)
      let held = await office.answer(
        .hold(hold, show: show, buyer: BuyerID(unchecked: "buyer-\(name)"), wish: .best(1, section: nil)))
      guard held.verdict == .done else {
        result.count(held)
        continue
      }
      let ordered = await office.answer(.order(order, hold: hold, show: show, account: Self.account))
      guard ordered.verdict == .done else {
        result.count(ordered)
        continue
      }
      result.confirmed += 1
      result.microseconds.append(Int(begun.duration(to: .now) / .microseconds(1)))
    }
  }
}

extension BookingLoad.Result {
  fileprivate mutating func count(_ answer: BuyerAnswer) {
    if answer.verdict == .refused { refusedWhileFree += 1 }
    errors["\(answer.reason ?? answer.verdict.rawValue)", default: 0] += 1
  }

  /// Of several processes that ran at the same time.
  public mutating func add(_ other: BookingLoad.Result) {
    confirmed += other.confirmed
    microseconds += other.microseconds
    refusedWhileFree += other.refusedWhileFree
    errors.merge(other.errors, uniquingKeysWith: +)
    if let more = other.appends { appends = (appends ?? 0) + more }
    if let more = other.conflicts { conflicts = (conflicts ?? 0) + more }
    seconds = max(seconds, other.seconds)
  }

  public func percentile(_ share: Double) -> Int {
    guard !microseconds.isEmpty else { return 0 }
    let sorted = microseconds.sorted()
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}
