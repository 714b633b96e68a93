/// How a lake keeps the events.
public enum LakeFormat: String, Sendable, Hashable, CaseIterable, Codable {
  /// Parquet files under Delta Lake transaction logs: a table of events, and tables of what happened to orders, seats and
  /// bills.
  case delta
  /// Compressed JSON lines under a manifest.
  case ndjson

  /// What lies in the directory; nil when there is no lake in it yet.
  static func found(in layout: LakeLayout) throws(LakeError) -> LakeFormat? {
    let hasManifest = try Directory.names(layout.manifest).contains { LakeLayout.entryNumber($0) != nil }
    let hasLog = try !Directory.names(layout.deltaLog(of: LakeLayout.events)).isEmpty
    if hasManifest && hasLog {
      throw .anotherFormat(directory: layout.root, found: .ndjson, expected: .delta)
    }
    if hasManifest { return .ndjson }
    return hasLog ? .delta : nil
  }

  /// How many bytes before compression a file of NDJSON, or all files of a Delta commit, have at the most.
  var targetBytes: Int64 {
    switch self {
    case .delta: 1 << 30
    case .ndjson: 64 << 20
    }
  }
}
