/// Where somebody can be written to, such as `ann@example.org`.
///
/// Only the form is checked, and a narrow one: what mail servers everywhere deliver to, and nothing that could become
/// part of a header. Whether somebody reads what is sent there, only sending tells.
public struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
  public let rawValue: String

  /// nil if the text has not the form of an address.
  public init?(_ text: String) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, text.utf8.count <= 254, Self.isLocal(parts[0]), Self.isDomain(parts[1]) else {
      return nil
    }
    rawValue = text
  }

  /// Without a look at its form; for what was checked when it came in.
  public init(unchecked text: String) { rawValue = text }

  /// What is after the @.
  public var domain: String { rawValue.split(separator: "@").last.map(String.init) ?? "" }

  public var description: String { rawValue }

  private static func isLocal(_ text: Substring) -> Bool {
    let marks = Set("!#$%&'*+-/=?^_`{|}~".utf8)
    return (1...64).contains(text.utf8.count)
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
        !atom.isEmpty && atom.utf8.allSatisfy { isAlphanumeric($0) || marks.contains($0) }
      }
  }

  private static func isDomain(_ text: Substring) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    return labels.count >= 2
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count)
          && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
          && label.first != "-" && label.last != "-"
      }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}

extension EmailAddress: Codable {
  // What is read was checked when it was written, or is what stands in for the data of somebody who was forgotten.
  public init(from decoder: any Decoder) throws {
    self.init(unchecked: try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}
