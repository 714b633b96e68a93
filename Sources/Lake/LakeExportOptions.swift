/// How files are cut and what happens when two exports meet.
public struct LakeExportOptions: Sendable, Hashable {
  /// Of a new lake Delta, if nil; an existing one is what it is, and asking for another is an error.
  public var format: LakeFormat?
  /// A file of NDJSON is closed with the line that brings it to this many bytes before compression, a Delta commit with
  /// the event that brings it there; nil is 64 MB and 1 GB.
  public var targetBytes: Int64?
  /// A manifest entry is committed when it has this many files, or files of `targetBytes` together; a Delta commit when
  /// the table of events has this many.
  public var filesPerEntry = 64
  /// Of zstd, 1…19.
  public var compressionLevel: Int32 = 3
  public var whenBusy = WhenBusy.fail

  /// What to do while another process exports to the same lake.
  public enum WhenBusy: Sendable, Hashable {
    /// Throw `LakeError.busy` at once.
    case fail
    /// Wait until it is done, then export what is still missing.
    case wait
    /// Export at the same time as others that share: one wins each commit, the losers read the manifest again
    /// and go on after it. Waits while an export that does not share is running.
    case share
  }

  public init(
    format: LakeFormat? = nil, targetBytes: Int64? = nil, filesPerEntry: Int = 64,
    compressionLevel: Int32 = 3, whenBusy: WhenBusy = .fail
  ) {
    self.format = format
    self.targetBytes = targetBytes
    self.filesPerEntry = filesPerEntry
    self.compressionLevel = compressionLevel
    self.whenBusy = whenBusy
  }
}
