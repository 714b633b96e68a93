import Booking
import Vocabulary

/// One flight of the public nycflights13 data, with what is sold of it. The rules are in
/// `scenarios/nyc-flights/README.md`.
struct NYCFlight: Sendable, Hashable {
  static let zone = "America/New_York"
  /// An aircraft that is not in the list of planes.
  static let defaultSeats = 150
  static let taxRateBasisPoints = 750

  let date: String
  let carrier: String
  let number: String
  let origin: String
  let destination: String
  let miles: Int64
  let seats: Int
  let departsAt: Timestamp
  let isCancelled: Bool

  var show: ShowID { ShowID(unchecked: "ny-\(date)-\(carrier)-\(number)-\(origin)") }
  var account: AccountID { AccountID(unchecked: carrier) }

  /// Of one seat, in US cents, tax included.
  var price: Int64 { 2000 + 12 * miles }

  /// The sizes of the bookings, in their order.
  var groups: [Int] {
    guard seats >= 24 else { return Array(repeating: 1, count: min(4, seats)) }
    let fingerprint = show.rawValue.fnv1a
    return (0..<4).map { 1 + Int((fingerprint >> (8 * $0)) % 4) }
  }

  var schedule: Booking.Schedule {
    let rows = stride(from: 0, to: seats, by: 6).map { first in
      SeatPlan.Row(id: RowID(unchecked: "\(first / 6 + 1)"), seats: min(6, seats - first))
    }
    return Booking.Schedule(
      showID: show, title: "\(carrier) \(number) \(origin) to \(destination)", startsAt: departsAt,
      currency: .usd,
      taxRateBasisPoints: Self.taxRateBasisPoints, holdTTLSeconds: 600,
      sections: [.init(id: SectionID(unchecked: "cabin"), price: price, rows: rows)])
  }
}

extension String {
  /// The 64-bit FNV-1a hash: the same everywhere, for ever.
  var fnv1a: UInt64 {
    utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
