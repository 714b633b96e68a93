import struct Foundation.URL

/// Proves that a lake is complete and unaltered, and computes the monthly bills from its files alone.
///
/// Completeness is arithmetic: entries and files continue each other from position 1, each holds
/// `last − first + 1` lines, and positions go up by one. Every file is hashed, every event is
/// parsed, and each stream's versions must be 1, 2, 3…. Of a Delta lake also every row of the other tables is made again
/// out of the events and compared. Uses no database.
///
/// May run while an export does: it checks what was committed when it began, and takes files that no entry names
/// for the export's.
public enum LakeVerifier {
  /// How far a check is.
  public struct Progress: Sendable, Hashable {
    public let eventsDone: Int64
    public let entriesDone: Int
    public let entriesTotal: Int
  }

  /// - Parameters:
  ///   - identity: the log that the lake should be of; nil accepts any one log.
  ///   - head: the position that the lake should reach; nil accepts where it ends. Nothing in a lake shows that its
  ///     last entries and all their files were removed, so whoever knows the head should say so.
  ///   - progress: called after each manifest entry, or commit of the table of events.
  /// - Throws: `LakeError.notALake`, or when the directory cannot be read. What is wrong *inside* a lake is
  ///   in the report.
  public static func verify(
    _ directory: URL, expecting identity: LakeIdentity? = nil, through head: Int64? = nil,
    progress: (Progress) -> Void = { _ in }
  ) async throws -> LakeReport {
    let layout = LakeLayout(root: directory.path)
    let check: any LakeChecking =
      try LakeFormat.found(in: layout) == .delta
      ? DeltaCheck(layout: layout, identity: identity, head: head)
      : LakeCheck(layout: layout, identity: identity, head: head)
    defer { check.executor.stop() }
    let numbers = try await check.begin()
    for (index, number) in numbers.enumerated() {
      try Task.checkCancellation()
      let events = try await check.checkEntry(number)
      progress(Progress(eventsDone: events, entriesDone: index + 1, entriesTotal: numbers.count))
    }
    return try await check.finish()
  }
}

/// One check of a lake, on a thread of its own. Entries have to be checked in order.
protocol LakeChecking: Actor {
  nonisolated var executor: ThreadExecutor { get }

  /// The numbers of the entries.
  func begin() throws(LakeError) -> [Int64]

  /// Checks an entry and its files; returns how many events have been read so far.
  func checkEntry(_ number: Int64) throws(LakeError) -> Int64

  func finish() throws(LakeError) -> LakeReport
}
