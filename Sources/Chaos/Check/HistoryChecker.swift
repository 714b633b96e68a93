import Foundation

/// Judges a recorded history against the log as it stands at the end.
///
/// It shares no code with the event store and takes plain values: operations with their begin, end and answer, what
/// subscribers and readers saw, samples of projections, and the final log. The work is O(n log n) in their number.
/// Every rule of ``Violation/Rule`` is looked at; each breach is listed with the records that prove it.
///
/// The method: positions are the order of commits, so every answer corresponds to one end of the log. The times in the
/// history say which ends an operation may have seen (``CommitTimes``); its answer says which it did see. If the two
/// do not meet, the answer cannot be true.
public struct HistoryChecker {
  /// At most this many breaches of one rule are listed; the rest is only counted.
  public static let listed = 20

  private(set) var appends: [RecordedAppend] = []
  private(set) var reads: [RecordedRead] = []
  var deliveries: [(at: Int64, process: String, delivery: Delivery)] = []
  private(set) var samples: [(at: Int64, process: String, sample: ProjectionSample)] = []
  private(set) var drained: [String: Int64] = [:]
  private(set) var heads: LogHeads?
  let log: LogIndex
  let stored: [LoggedEvent]
  /// Which appends hold an event, by index, the first begun first.
  private(set) var holders: [UUID: [Int]] = [:]
  let times: CommitTimes
  var violations: [Violation] = []
  var counts: [Violation.Rule: Int] = [:]

  /// - Parameter records: of all processes, in any order.
  public static func check(_ records: [HistoryRecord]) -> Report {
    var checker = HistoryChecker(records)
    checker.checkLog()
    checker.checkAppends()
    checker.checkOrder()
    checker.checkReads()
    checker.checkSubscribers()
    checker.checkProjections()
    return checker.report()
  }

  private init(_ records: [HistoryRecord]) {
    struct Key: Hashable {
      let process: String
      let operation: Int
    }
    var openAppends: [Key: Int] = [:]
    var openReads: [Key: (request: ReadRequest, at: Int64)] = [:]
    var stored: [LoggedEvent] = []
    for record in records.sorted(by: { $0.at < $1.at }) {
      let process = record.process
      switch record.entry {
      case .appendBegan(let operation, let parts):
        openAppends[Key(process: process, operation: operation)] = appends.count
        appends.append(
          RecordedAppend(process: process, number: operation, parts: parts, beganAt: record.at))
      case .appendEnded(let operation, let answer):
        guard let index = openAppends[Key(process: process, operation: operation)] else { continue }
        appends[index].endedAt = record.at
        appends[index].answer = answer
      case .readBegan(let operation, let request):
        openReads[Key(process: process, operation: operation)] = (request, record.at)
      case .readEnded(let operation, let answer):
        guard let open = openReads[Key(process: process, operation: operation)] else { continue }
        reads.append(
          RecordedRead(
            process: process, number: operation, request: open.request, beganAt: open.at, endedAt: record.at,
            answer: answer))
      case .delivered(let delivery): deliveries.append((record.at, process, delivery))
      case .projected(let sample): samples.append((record.at, process, sample))
      case .drained(let subscriber, let position): drained[subscriber] = position
      case .stored(let event): stored.append(event)
      case .heads(let heads): self.heads = heads
      }
    }
    self.stored = stored
    log = LogIndex(stored)
    for (index, append) in appends.enumerated() {
      for event in append.events { holders[event.id, default: []].append(index) }
    }
    times = Self.commitTimes(log, appends, reads, deliveries.map { ($0.at, $0.delivery.events) })
  }

  private static func commitTimes(
    _ log: LogIndex, _ appends: [RecordedAppend], _ reads: [RecordedRead],
    _ deliveries: [(at: Int64, events: [LoggedEvent])]
  ) -> CommitTimes {
    var began: [UUID: Int64] = [:]
    var seen: [UUID: Int64] = [:]
    func see(_ id: UUID, _ time: Int64) { seen[id] = min(seen[id] ?? .max, time) }
    for append in appends {
      for event in append.events where append.mayBeStored {
        began[event.id] = min(began[event.id] ?? .max, append.beganAt)
      }
      switch append.answer {
      case .committed, .duplicate: for event in append.events { see(event.id, append.endedAt ?? .max) }
      default: break
      }
    }
    for read in reads {
      if case .events(let events) = read.answer { for event in events { see(event.id, read.endedAt) } }
    }
    for (time, events) in deliveries { for event in events { see(event.id, time) } }
    return CommitTimes(log, began: began, seen: seen)
  }

  mutating func report(_ rule: Violation.Rule, _ message: String, _ evidence: [String] = []) {
    counts[rule, default: 0] += 1
    if counts[rule, default: 0] <= Self.listed {
      violations.append(Violation(rule: rule, message: message, evidence: evidence))
    }
  }

  private func report() -> Report {
    Report(
      appends: appends.count, reads: reads.count,
      deliveries: deliveries.reduce(0) { $0 + $1.delivery.events.count }, samples: samples.count,
      events: log.events.count,
      outcomes: appends.reduce(into: [:]) { $0[$1.outcome, default: 0] += 1 },
      violations: violations,
      counts: Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) }))
  }

  /// What was looked at, and what was found.
  public struct Report: Codable, Sendable {
    public let appends: Int
    public let reads: Int
    /// Events handed to subscribers, repetitions included.
    public let deliveries: Int
    public let samples: Int
    /// In the log at the end.
    public let events: Int
    /// How many appends ended how.
    public let outcomes: [String: Int]
    public let violations: [Violation]
    /// Breaches of each rule, also those that are not listed.
    public let counts: [String: Int]

    public var holds: Bool { violations.isEmpty }
    public var rules: Set<Violation.Rule> { Set(violations.map(\.rule)) }
  }
}

extension RecordedAppend {
  /// In a word.
  var outcome: String {
    switch answer {
    case nil: "unanswered"
    case .committed: "committed"
    case .duplicate: "duplicate"
    case .conflict: "conflict"
    case .unknown: "unknown"
    case .failed(let failure, _): failure.rawValue
    }
  }
}
