/// Somebody whom data is about: a kind of name and the name, such as buyer `ann`.
public struct DataSubject: Sendable, Hashable, CustomStringConvertible {
  /// Without a colon.
  public let kind: String
  public let name: String

  public init(kind: String, name: String) {
    self.kind = kind
    self.name = name
  }

  /// From the form `kind:name`; nil if there is no colon or nothing on one side of the first.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    self.init(kind: String(parts[0]), name: String(parts[1]))
  }

  public var description: String { "\(kind):\(name)" }
}

/// A field of an event's payload that is personal data, and whose.
public struct PersonalField: Sendable, Hashable {
  /// A key of the payload's outermost object.
  public let name: String
  public let subject: DataSubject

  public init(_ name: String, of subject: DataSubject) {
    self.name = name
    self.subject = subject
  }
}

/// What stands in place of personal data once the person has been forgotten. No identifier that comes from outside
/// can have this form.
public let forgottenText = "[forgotten]"
