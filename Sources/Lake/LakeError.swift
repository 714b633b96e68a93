import Glibc

/// Why an export or a check could not go on. Nothing partial is committed when one is thrown.
public enum LakeError: Error, Sendable, Hashable {
  /// A call of the operating system failed on `path`.
  case io(operation: String, path: String, code: Int32)
  /// Another export holds the lake's lock; `holder` is its process id where known.
  case busy(directory: String, holder: String?)
  /// The lake was written from another tenant or another database.
  case anotherLog(directory: String, lake: String, expected: String)
  /// The lake is of another format than the one that was asked for.
  case anotherFormat(directory: String, found: LakeFormat, expected: LakeFormat)
  /// The lake holds events that the log does not have.
  case aheadOfLog(directory: String, lake: Int64, log: Int64)
  /// The lake's last event is not the log's event at that position.
  case diverged(directory: String, position: Int64, lake: String, log: String)
  /// The feed skipped or repeated a position.
  case positionGap(expected: Int64, found: Int64)
  /// The feed ended before the position that it was asked to reach.
  case feedEnded(last: Int64, expected: Int64)
  /// A manifest entry is missing, unreadable or contradicts its predecessor.
  case damagedManifest(path: String, reason: String)
  /// Written by a later release.
  case unsupportedFormat(path: String, version: Int)
  /// The payload is not a JSON object.
  case invalidPayload(position: Int64, reason: String)
  /// A data file of this name, which no manifest entry mentions, has other content.
  case conflictingFile(path: String)
  /// There is no manifest in the directory.
  case notALake(directory: String)
  /// libzstd refused.
  case compression(path: String, reason: String)
}

extension LakeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .io(let operation, let path, let code):
      "cannot \(operation) \(path): \(String(cString: strerror(code))); \(Self.advice(code))"
    case .busy(let directory, let holder):
      "the lake \(directory) is being exported by \(holder.map { "process \($0)" } ?? "another process"); "
        + "wait for it, or export with --wait"
    case .anotherLog(let directory, let lake, let expected):
      "the lake \(directory) belongs to \(lake), not to \(expected); export to another directory"
    case .anotherFormat(let directory, let found, let expected):
      "the lake \(directory) holds \(found.rawValue), not \(expected.rawValue); leave --format out to go on with it, or "
        + "export to another directory"
    case .aheadOfLog(let directory, let lake, let log):
      "the lake \(directory) is at position \(lake) but the log ends at \(log): the database was probably "
        + "restored from an older backup; keep this lake as evidence and export to a new directory"
    case .diverged(let directory, let position, let lake, let log):
      "at position \(position) the lake \(directory) has event \(lake) but the log has \(log): the log was "
        + "rewritten after the export; keep this lake as evidence and export to a new directory"
    case .positionGap(let expected, let found):
      "the log sent position \(found) where \(expected) was due; nothing was exported beyond the last commit"
    case .feedEnded(let last, let expected):
      "the log ended at position \(last) before \(expected) was reached; run the export again"
    case .damagedManifest(let path, let reason):
      "\(path): \(reason); run `aisle lake verify` for details, then restore the file or export to a new directory"
    case .unsupportedFormat(let path, let version):
      "\(path) has format version \(version), this program reads \(LakeLayout.formatVersion); use a newer release"
    case .invalidPayload(let position, let reason):
      "the payload of the event at position \(position) is not a JSON object: \(reason)"
    case .conflictingFile(let path):
      "\(path) exists with other content and belongs to no manifest entry; "
        + "run one export that does not share the lake, which removes it"
    case .notALake(let directory):
      "\(directory) is not a lake: it has neither _manifest nor events/_delta_log; give the directory that was exported to"
    case .compression(let path, let reason):
      "cannot compress \(path): \(reason)"
    }
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: "free space and run the export again, it continues where it stopped"
    case EACCES, EPERM, EROFS: "give this user write access or choose another directory"
    case ENOTDIR, EEXIST: "choose a path that is a directory"
    default: "mend it and run the command again"
    }
  }
}
