/// A module that decides by folding one stream: what somebody wants, and what has happened, give what happens next.
///
/// Both functions are pure: the same history and command give the same events, whenever and wherever they are asked.
public protocol Decider: Sendable {
  associatedtype Command: Sendable
  associatedtype Event: DomainEvent
  associatedtype State: Sendable
  associatedtype Rejection: Error

  /// What is known of a stream before its first event.
  static var initialState: State { get }

  /// What follows from a command; nothing if its effect is there already.
  static func decide(_ command: Command, _ state: State, at now: Timestamp) throws(Rejection) -> [Event]

  /// Takes one fact into account. It never fails and never decides.
  static func evolve(_ state: inout State, _ event: Event)
}
