/// One tenant: one ordered log and one set of read models.
public struct TenantID: Sendable, Hashable {
  public let rawValue: Int32

  public init(_ rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// The tenant of an installation that serves only one.
  public static let main = TenantID(1)
}

extension TenantID: Comparable {
  public static func < (left: TenantID, right: TenantID) -> Bool { left.rawValue < right.rawValue }
}

extension TenantID: CustomStringConvertible {
  public var description: String { String(rawValue) }
}

extension TenantID: Codable {
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(Int32.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}
