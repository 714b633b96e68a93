/// The name of one thing, typed by what it names, so that a hold's id is never taken for an order's.
///
/// It has 1 to 128 characters out of `A–Z a–z 0–9 . _ : -`, which makes it safe in a URL path, in a stream
/// name and in a file name. In JSON it is a plain string.
public struct Identifier<Subject>: Sendable, Hashable {
  public let rawValue: String

  /// `nil` when `raw` breaks the rule above.
  public init?(_ raw: String) {
    guard Identifier.isValid(raw) else { return nil }
    rawValue = raw
  }

  /// For identifiers that this program makes itself; input goes through ``init(_:)``.
  public init(unchecked raw: String) {
    rawValue = raw
  }

  private static func isValid(_ raw: String) -> Bool {
    (1...128).contains(raw.utf8.count)
      && raw.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}

/// What an ``Identifier`` can name.
public enum IdentifierSubject {
  public enum Show {}
  public enum Section {}
  public enum Row {}
  public enum Seat {}
  public enum PriceCategory {}
  public enum Hold {}
  public enum Order {}
  public enum Account {}
  public enum Buyer {}
  public enum Payment {}
  public enum Refund {}
  public enum Quote {}
  public enum Scan {}
  public enum WaitingEntry {}
  public enum WaitingPlace {}
}

public typealias ShowID = Identifier<IdentifierSubject.Show>
public typealias SectionID = Identifier<IdentifierSubject.Section>
public typealias RowID = Identifier<IdentifierSubject.Row>
public typealias SeatID = Identifier<IdentifierSubject.Seat>
/// Of a price category.
public typealias CategoryID = Identifier<IdentifierSubject.PriceCategory>
public typealias HoldID = Identifier<IdentifierSubject.Hold>
public typealias OrderID = Identifier<IdentifierSubject.Order>
public typealias AccountID = Identifier<IdentifierSubject.Account>
public typealias BuyerID = Identifier<IdentifierSubject.Buyer>
public typealias PaymentID = Identifier<IdentifierSubject.Payment>
public typealias RefundID = Identifier<IdentifierSubject.Refund>
public typealias QuoteID = Identifier<IdentifierSubject.Quote>
/// Of one try to get in with a ticket.
public typealias ScanID = Identifier<IdentifierSubject.Scan>
/// Of somebody's place on a waiting list.
public typealias WaitingID = Identifier<IdentifierSubject.WaitingEntry>
/// Of somebody's place in a waiting room.
public typealias PlaceID = Identifier<IdentifierSubject.WaitingPlace>

extension Identifier: LosslessStringConvertible {
  public var description: String { rawValue }
}

extension Identifier: Comparable {
  public static func < (left: Identifier, right: Identifier) -> Bool { left.rawValue < right.rawValue }
}

extension Identifier: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let raw = try container.decode(String.self)
    // Only what was stored is decoded this way; input goes through ``init(_:)``, which refuses it.
    if raw == forgottenText {
      self.init(unchecked: raw)
      return
    }
    guard let identifier = Identifier(raw) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription:
          "\(raw.quotedForMessage) is not an identifier; use 1 to 128 characters out of A-Z a-z 0-9 . _ : -")
    }
    self = identifier
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}
