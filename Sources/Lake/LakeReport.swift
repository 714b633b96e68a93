/// What a check of a lake found.
public struct LakeReport: Codable, Sendable, Hashable {
  public internal(set) var format = LakeFormat.ndjson
  public internal(set) var tenant: Int32?
  public internal(set) var logID: String?
  public internal(set) var firstPosition: Int64?
  public internal(set) var lastPosition: Int64?
  public internal(set) var events: Int64 = 0
  public internal(set) var entries: Int64 = 0
  public internal(set) var files: Int64 = 0
  public internal(set) var bytes: Int64 = 0
  public internal(set) var uncompressedBytes: Int64 = 0
  public internal(set) var streams: Int64 = 0
  /// The SHA-256 of the last manifest entry, or that of the last commits of all tables. As every entry holds the digest of
  /// the one before it and of its files, two lakes with the same digest are the same.
  public internal(set) var digest: String?
  /// True when there is no problem: every event from 1 to `lastPosition` is there once, and nothing contradicts
  /// the manifest.
  public internal(set) var isComplete = false
  /// How many problems there are; `problems` lists the first thousand.
  public internal(set) var problemCount: Int64 = 0
  public internal(set) var problems: [LakeProblem] = []
  /// Every data file that no entry names: not part of the lake. Each is a problem, unless an export is
  /// at work, which may be about to commit it.
  public internal(set) var orphans: [String] = []
  /// Whether an export held the lake's lock when there were files that no entry names.
  public internal(set) var isBeingExported = false
  /// The monthly bills, computed from the files alone.
  public internal(set) var bills: [LakeBill] = []
  public internal(set) var seconds: Double = 0

  static let maximumProblems = 1000

  mutating func add(_ problem: LakeProblem) {
    problemCount += 1
    if problems.count < Self.maximumProblems { problems.append(problem) }
  }

  enum CodingKeys: String, CodingKey {
    case format, tenant, events, entries, files, bytes, streams, digest, problems, orphans, bills, seconds
    case logID = "log_id"
    case firstPosition = "first_position"
    case lastPosition = "last_position"
    case uncompressedBytes = "uncompressed_bytes"
    case isComplete = "complete"
    case isBeingExported = "being_exported"
    case problemCount = "problem_count"
  }
}

/// One thing that is wrong with a lake, and where.
public struct LakeProblem: Codable, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// A manifest entry is missing or unreadable, or contradicts itself or its predecessor.
    case manifest
    /// The lake is of another tenant or log than was expected.
    case identity
    /// The lake ends before the position that was expected.
    case incomplete
    /// No entry names the file.
    case orphan
    case fileMissing = "file-missing"
    case fileSize = "file-size"
    case fileHash = "file-hash"
    /// The compressed data cannot be read to its end.
    case fileDamaged = "file-damaged"
    case lineCount = "line-count"
    case lineInvalid = "line-invalid"
    /// An event is missing, repeated or out of order.
    case position
    case eventDate = "event-date"
    case streamVersion = "stream-version"
    /// An event that bills depend on has contents that do not add up.
    case billing
    /// A row of a table is not the one that the events make.
    case row
  }

  public let kind: Kind
  /// Relative to the lake's directory.
  public let file: String?
  /// From 1.
  public let line: Int64?
  public let position: Int64?
  /// What was expected and what is there.
  public let message: String

  public var description: String {
    let place = [
      file, line.map { "line \($0)" }, position.map { "position \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
    return "\(kind.rawValue): \(place.isEmpty ? "" : place + ": ")\(message)"
  }
}

/// One account's month in one currency, in the currency's minor units.
public struct LakeBill: Codable, Sendable, Hashable {
  public let accountID: String
  /// `2026-11`, in the account's time zone.
  public let month: String
  public let currency: String
  public let gross: Int64
  public let tax: Int64
  public let refunds: Int64
  public let net: Int64
  public let due: Int64
  public let lines: Int64

  public init(
    accountID: String, month: String, currency: String, gross: Int64, tax: Int64, refunds: Int64, net: Int64,
    due: Int64, lines: Int64
  ) {
    self.accountID = accountID
    self.month = month
    self.currency = currency
    self.gross = gross
    self.tax = tax
    self.refunds = refunds
    self.net = net
    self.due = due
    self.lines = lines
  }

  enum CodingKeys: String, CodingKey {
    case month, currency, gross, tax, refunds, net, due, lines
    case accountID = "account_id"
  }
}

extension LakeReport {
  /// What every check says at its end.
  ///
  /// - Parameter head: how far the lake has to reach; nil if it is not known.
  mutating func end(_ check: EventCheck, expecting head: Int64?, after time: Duration) {
    let end = lastPosition ?? 0
    if let head, head > end {
      let message = "expected the lake to reach position \(head), it ends at \(end)"
      add(LakeProblem(kind: .incomplete, file: nil, line: nil, position: nil, message: message))
    }
    events = check.count
    streams = Int64(check.streams.count)
    bills = check.billing.bills
    isComplete = problemCount == 0
    seconds = time / .seconds(1)
  }

  /// The files that nothing names, and whether that is because an export is at work.
  mutating func findOrphans(
    in layout: LakeLayout, _ unnamedFiles: () throws(LakeError) -> [String]
  ) throws(LakeError) {
    let found = try unnamedFiles()
    guard !found.isEmpty else { return }
    isBeingExported = try LakeLock.isHeld(layout)
    // An export that was at work at first and is not any more has named its files since, or removed them.
    let left = Set(try unnamedFiles())
    orphans = found.filter(left.contains)
  }
}
