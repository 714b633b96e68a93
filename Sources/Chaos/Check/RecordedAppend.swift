import Foundation

/// An append of a history: its beginning and its end, if it had one.
struct RecordedAppend: CustomStringConvertible {
  let process: String
  let number: Int
  let parts: [AppendPart]
  let beganAt: Int64
  var endedAt: Int64?
  /// nil: the process died before it knew.
  var answer: AppendAnswer?

  var events: [ProposedEvent] { parts.flatMap(\.events) }

  /// Whether its events may be in the log because of it.
  var mayBeStored: Bool {
    switch answer {
    case nil, .unknown, .committed, .duplicate: true
    case .conflict, .failed: false
    }
  }

  var description: String {
    let parts = parts.map { part in
      let ids = part.events.map { $0.id.uuidString.prefix(8).lowercased() + ($0.isPoison ? " (poison)" : "") }
      return "\(part.stream) expecting \(part.expected), events [\(ids.joined(separator: ", "))]"
    }
    let end: String
    switch answer {
    case nil: end = "never answered"
    case .committed(let places): end = "committed " + Self.text(places)
    case .duplicate(let places): end = "duplicate " + Self.text(places)
    case .conflict(let actual):
      end = "conflict " + actual.map { "\($0.stream) is \($0.version)" }.joined(separator: ", ")
    case .unknown(let reason): end = "unknown (\(reason))"
    case .failed(let failure, let reason): end = "\(failure.rawValue) (\(reason))"
    }
    let time = endedAt.map { "\(seconds(beganAt))–\(seconds($0)) s" } ?? "from \(seconds(beganAt)) s on"
    return "\(process) append \(number), \(time): \(parts.joined(separator: "; ")) → \(end)"
  }

  private static func text(_ places: [AppendAnswer.Place]) -> String {
    places.map { "\($0.stream) \($0.version)" + ($0.position.map { "@\($0)" } ?? "") }.joined(separator: ", ")
  }
}

/// A read of a history that was answered.
struct RecordedRead: CustomStringConvertible {
  let process: String
  let number: Int
  let request: ReadRequest
  let beganAt: Int64
  let endedAt: Int64
  let answer: ReadAnswer

  var description: String {
    let result: String
    switch answer {
    case .number(let number): result = "\(number)"
    case .failed(let reason): result = "failed (\(reason))"
    case .events(let events):
      let shown = events.prefix(12).map { "\($0.stream) \($0.version)@\($0.position)" }
      result = "\(events.count) events: " + shown.joined(separator: ", ") + (events.count > 12 ? " …" : "")
    }
    return "\(process) read \(number), \(seconds(beganAt))–\(seconds(endedAt)) s: \(request) → \(result)"
  }
}

/// Of the monotonic clock, to the microsecond.
func seconds(_ nanoseconds: Int64) -> String {
  let micro = nanoseconds / 1000
  let fraction = String(micro % 1_000_000)
  return "\(micro / 1_000_000)." + String(repeating: "0", count: max(0, 6 - fraction.count)) + fraction
}

extension LoggedEvent {
  var brief: String {
    "\(stream) \(version)@\(position) (\(id.uuidString.prefix(8).lowercased()), value \(value))"
  }
}
