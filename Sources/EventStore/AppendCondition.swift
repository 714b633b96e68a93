/// What must not have happened for an append to be right, whatever stream it would have happened in: no event with
/// all of these tags, and one of these types if any are named, after a position.
///
/// A decision reads the events that it depends on with ``EventStore/readAll(after:categories:types:tags:limit:)``,
/// remembers the position of the end of the log from before, and appends under the condition that nothing of the kind
/// has come since (a *dynamic consistency boundary*, <https://dcb.events>).
public struct AppendCondition: Hashable, Sendable {
  /// At least one; an event is looked for that has all of them.
  public let tags: [String]
  /// Any of these; every type if empty.
  public let types: [String]
  /// Events up to here are known to the caller.
  public let after: Position

  public init(noEventsTagged tags: [String], ofTypes types: [String] = [], after: Position) {
    self.tags = tags
    self.types = types
    self.after = after
  }

  static let maximumTags = 20

  func validate() throws(AppendError) {
    if tags.isEmpty { throw .invalid("a condition needs a tag") }
    if tags.count > Self.maximumTags || types.count > 100 {
      throw .invalid("a condition has at most \(Self.maximumTags) tags and 100 types")
    }
    for tag in tags { try NewEvent.validate(tag: tag) }
    for type in types where type.isEmpty || type.utf8.count > 200 || type.contains("\0") {
      throw .invalid("an event type has 1 to 200 bytes and no NUL")
    }
  }
}
