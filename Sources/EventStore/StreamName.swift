/// The name of a stream: `category-id`, such as `show-42`.
///
/// The category says what kind of thing the stream is about; it has no hyphen, so that the first hyphen of a
/// name always ends it. The id may be any text.
public struct StreamName: Hashable, Sendable, CustomStringConvertible {
  public let category: String
  public let id: String

  public init(category: String, id: String) {
    self.category = category
    self.id = id
  }

  /// nil if the text has no hyphen or nothing on one side of the first.
  public init?(_ name: String) {
    // Scalars, not characters: an id that begins with a combining mark makes one character with the hyphen.
    let scalars = name.unicodeScalars
    guard let hyphen = scalars.firstIndex(of: "-") else { return nil }
    category = String(scalars[..<hyphen])
    id = String(scalars[scalars.index(after: hyphen)...])
    guard !category.isEmpty, !id.isEmpty else { return nil }
  }

  /// Byte by byte, as the database compares: two spellings of "é" name two streams.
  public static func == (a: StreamName, b: StreamName) -> Bool {
    a.category.utf8.elementsEqual(b.category.utf8) && a.id.utf8.elementsEqual(b.id.utf8)
  }

  public var description: String { "\(category)-\(id)" }
}
