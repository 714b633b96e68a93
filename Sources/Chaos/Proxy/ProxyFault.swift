/// What a ``FaultProxy`` does to a connection.
public enum ProxyFault: Codable, Sendable, Hashable {
  /// Every piece is passed on that much later.
  case delay(milliseconds: Int)
  /// Pieces of a few bytes, one after the other.
  case trickle(bytes: Int, milliseconds: Int)
  /// Half open: what the server answers is swallowed.
  case swallowAnswers
  /// Half open the other way: what the client sends is swallowed.
  case swallowRequests
  /// The next Execute reaches the server; when its answer comes, the client's side is reset instead.
  case cutBeforeAnswer
  /// Cut in the middle of the client's next message.
  case cutMidMessage
  /// Nothing passes any more, and nothing is closed.
  case freeze
  /// Closed at once.
  case refuse
}
