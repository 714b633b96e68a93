import Foundation
import Lake
import Vocabulary

/// A seeded source of random numbers (SplitMix64), so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A log in memory that feeds an export as the event store would.
struct TestLog: Sendable {
  static let identity = LakeIdentity(
    tenant: .main, log: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)))
  /// 2026-11-24T19:30:00Z
  static let start: Int64 = 1_795_548_600_000_000

  private(set) var records: [LakeRecord] = []
  private var versions: [String: Int64] = [:]
  private var clock = TestLog.start

  var head: Int64 { Int64(records.count) }

  /// Adds an event; `after` is how long after the one before it was recorded.
  mutating func append(
    _ stream: String, _ type: String, _ data: String, after: Duration = .milliseconds(1),
    actor: String? = nil,
    traceparent: String? = nil
  ) {
    clock += Int64(after / .microseconds(1))
    let version = (versions[stream] ?? 0) + 1
    versions[stream] = version
    let position = head + 1
    records.append(
      LakeRecord(
        position: position, stream: stream, category: String(stream.prefix { $0 != "-" }), version: version,
        id: Self.id(position), type: type, recordedAt: Timestamp(microseconds: clock), actor: actor,
        correlationID: position.isMultiple(of: 2) ? Self.id(position / 2) : nil,
        causationID: position.isMultiple(of: 3) ? Self.id(position / 3) : nil, traceparent: traceparent,
        data: Array(data.utf8)))
  }

  static func id(_ position: Int64) -> UUID {
    var id = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16) as uuid_t
    withUnsafeMutableBytes(of: &id) { $0.storeBytes(of: position.bigEndian, toByteOffset: 8, as: Int64.self) }
    return UUID(uuid: id)
  }

  /// Events of many streams with awkward texts, a few days long.
  static func random(_ count: Int, seed: UInt64, meanGap: Duration = .seconds(2000)) -> TestLog {
    var generator = SeededGenerator(seed: seed)
    let texts = [
      "Ann", "", "Zoë \"Z\"", "tab\there", "back\\slash", "line\nend", "\u{1}\u{1F}", "日本 🎭", "a/b",
    ]
    var log = TestLog()
    for index in 0..<count {
      let text = texts[Int.random(in: 0..<texts.count, using: &generator)]
      let note = String(repeating: "x", count: Int.random(in: 0..<200, using: &generator))
      log.append(
        "show-\(Int.random(in: 0..<9, using: &generator))", "seats-held",
        #"{"n": \#(index), "note": "\#(note)", "seats": ["A-1", "Zoë \"\u00e9\""], "deep": [[{}], [], null, -1.5e+3]}"#,
        after: meanGap * Double.random(in: 0..<2, using: &generator),
        actor: Bool.random(using: &generator) ? text : nil,
        traceparent: Bool.random(using: &generator) ? text : nil)
    }
    return log
  }

  /// Feeds batches of `size` events.
  func feed(batches size: Int = 7) -> LakeExporter.Feed {
    let records = records
    return { after, _, deliver in
      var rest = records.drop { $0.position <= after }
      while !rest.isEmpty {
        try await deliver(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
      }
    }
  }

  /// The log as it was when `head` was its end.
  func prefix(_ head: Int) -> TestLog {
    var log = self
    log.records = Array(records.prefix(head))
    return log
  }
}
