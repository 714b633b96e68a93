/// How one format keeps what an export brings. Used on the writer's thread only.
protocol LakeSink: AnyObject {
  /// Makes what every lake of the format has. Nobody who excludes this export is at work.
  func prepare() throws

  /// Reads what is committed, and refuses a lake that is not this log's. Called again after a lost race.
  func refresh() throws

  /// Where the lake ends, as `refresh` or the last commit left it.
  var end: LakeEnd { get }

  /// Takes the event after the last one; returns how many bytes it has before compression.
  func append(_ record: LakeRecord) throws -> Int64

  /// Closes what is open and commits it.
  func finish() throws

  /// Forgets what is not committed.
  func discard()

  /// Removes what interrupted exports left. Only while nobody else writes: what looks left behind may be about to be
  /// committed.
  @discardableResult
  func removeOrphans() throws -> Int

  /// What this export has committed so far.
  var committed: LakeCommitted { get }
}

/// Where a lake ends.
struct LakeEnd {
  var position: Int64 = 0
  /// Of the event at `position`.
  var eventID: String?
  /// Of tables that are committed one after the other some may be further; none ends before `position`.
  var furthest: Int64 = 0
}

struct LakeCommitted {
  var entries = 0
  var files = 0
  var events: Int64 = 0
  var uncompressedBytes: Int64 = 0
  var compressedBytes: Int64 = 0
}
