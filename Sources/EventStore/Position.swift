/// A place in a tenant's log. The first event has position 1 and positions have no gaps, so that
/// `last - first + 1` is the number of events between two of them.
public struct Position: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  public let rawValue: Int64

  /// Before the first event.
  public static let start = Position(0)

  public init(_ rawValue: Int64) { self.rawValue = rawValue }

  public init(from decoder: any Decoder) throws {
    rawValue = try decoder.singleValueContainer().decode(Int64.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }

  public static func < (a: Position, b: Position) -> Bool { a.rawValue < b.rawValue }
  public var description: String { "\(rawValue)" }
}
