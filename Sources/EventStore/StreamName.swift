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
    guard let hyphen = name.firstIndex(of: "-") else { return nil }
    category = String(name[..<hyphen])
    id = String(name[name.index(after: hyphen)...])
    guard !category.isEmpty, !id.isEmpty else { return nil }
  }

  public var description: String { "\(category)-\(id)" }
}
