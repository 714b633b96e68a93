import Vocabulary

// For the time zone database only: the arithmetic on its offsets is ours.
import struct Foundation.Date
import struct Foundation.TimeZone

/// The time zone whose calendar decides in which month an account is billed.
public struct BillingZone: Sendable {
  /// The IANA name, as it was given.
  public let identifier: String
  private let zone: TimeZone

  /// `nil` unless `identifier` is `UTC` or an IANA name with an area, such as `America/New_York`.
  ///
  /// Abbreviations such as `PST` and offsets such as `GMT+3` are refused: they mean different things to
  /// different programs, and a bill has to come out the same in Swift, in SQL and in the lake.
  public init?(_ identifier: String) {
    guard identifier == "UTC" || identifier.utf8.contains(UInt8(ascii: "/")),
      let zone = TimeZone(identifier: identifier)
    else { return nil }
    self.identifier = identifier
    self.zone = zone
  }

  private init(identifier: String, zone: TimeZone) {
    self.identifier = identifier
    self.zone = zone
  }

  /// The zone of an account that was never opened.
  public static let utc = BillingZone(identifier: "UTC", zone: .gmt)

  /// Seconds east of UTC at `instant`.
  public func utcOffset(at instant: Timestamp) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.wholeSeconds)))
  }
}

extension BillingZone: Hashable {
  public static func == (left: BillingZone, right: BillingZone) -> Bool {
    left.identifier == right.identifier
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(identifier) }
}

extension BillingZone: CustomStringConvertible {
  public var description: String { identifier }
}

extension Billing {
  /// The month that a wall calendar in `zone` shows at `instant`.
  public static func month(of instant: Timestamp, in zone: BillingZone) -> Month {
    Month(of: instant, utcOffset: zone.utcOffset(at: instant))
  }
}
