/// A rule that a history breaks, with the records that prove it.
public struct Violation: Codable, Sendable, CustomStringConvertible {
  public enum Rule: String, Codable, Sendable, CaseIterable {
    /// Positions are 1, 2, 3 … N.
    case positions
    /// In each stream versions are 1, 2, 3 … in the order of positions.
    case versions
    /// No event id is stored twice.
    case uniqueIDs = "unique-ids"
    /// What the store keeps about the end of the log and of each stream agrees with the events.
    case heads
    /// Every stored event was appended by somebody, as it stands there.
    case origin
    /// What was acknowledged is there, once, in its stream at the version and position that was answered.
    case acknowledged
    /// What failed is not there.
    case failed
    /// Of an append whose answer is unknown all events are there, side by side, or none.
    case atomic
    /// Every stored append found its streams as it expected.
    case expectedVersion = "expected-version"
    /// What was over before something else began has the lower position.
    case realTime = "real-time"
    /// A conflict names versions that the streams had together at a moment of the operation, and that were not
    /// expected.
    case conflict
    /// A duplicate was appended before and is told with its original position.
    case duplicate
    /// Events are refused only for what is wrong with them.
    case refusal
    /// A read is what the log was at one moment of the operation.
    case read
    /// A subscriber is handed the log from its beginning, in order, without a hole.
    case subscriber
    /// A projection's table is the fold of the log up to its checkpoint.
    case projection
  }

  public let rule: Rule
  public let message: String
  public let evidence: [String]

  public var description: String {
    ([rule.rawValue + ": " + message] + evidence.map { "    " + $0 }).joined(separator: "\n")
  }
}
