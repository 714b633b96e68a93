import Crypto
import Vocabulary

/// One table while an export adds to it: its log, and a file for each partition that the next commit has rows of.
final class DeltaTable {
  /// A row group ends at so many bytes before compression.
  static let rowGroupBytes = 32 << 20

  let schema: DeltaSchema
  private(set) var log: DeltaLog

  private let layout: LakeLayout
  private let identity: LakeIdentity
  private let level: Int32
  private let step: ExportStepHook
  private var open: [[String]: DeltaPart] = [:]
  /// Where the last row went; the next one mostly goes there too.
  private var latest: (part: DeltaPart, category: String?, date: String)?

  init(
    _ schema: DeltaSchema, layout: LakeLayout, identity: LakeIdentity, level: Int32,
    step: @escaping ExportStepHook
  ) {
    self.schema = schema
    self.layout = layout
    self.identity = identity
    self.level = level
    self.step = step
    log = DeltaLog(layout: layout, table: schema.name)
  }

  var openFiles: Int { open.count }
  var bufferedBytes: Int { open.values.reduce(0) { $0 + $1.writer.bufferedBytes } }

  /// Makes the table if it is not there.
  func prepare() throws {
    try log.refresh()
    guard log.version < 0 else { return }
    let folder = "\(layout.root)/\(schema.name)"
    if try Directory.create(folder) { try Directory.synchronize(layout.root) }
    if try Directory.create(layout.deltaLog(of: schema.name)) { try Directory.synchronize(folder) }
    do {
      try commit([
        DeltaAction(
          commitInfo: .init(
            timestamp: 0, operation: "CREATE TABLE", operationParameters: [:], engineInfo: "aisle")),
        DeltaAction(protocol: .init(minReaderVersion: 1, minWriterVersion: 2)),
        DeltaAction(metaData: try metaData()),
      ])
    } catch is LostRace {
      try log.refresh()
    }
  }

  private func metaData() throws -> DeltaAction.MetaData {
    DeltaAction.MetaData(
      id: Self.id(of: schema.name, in: identity), name: schema.name, description: schema.comment,
      format: .init(provider: "parquet", options: [:]), schemaString: try schema.text(),
      partitionColumns: schema.partitionColumns.map(\.name),
      configuration: [
        Self.logKey: identity.logText, Self.tenantKey: "\(identity.tenant.rawValue)",
        Self.formatKey: "\(LakeLayout.formatVersion)",
        // What happened cannot be undone, and the log is complete only with its first commits.
        "delta.appendOnly": "true", "delta.enableExpiredLogCleanup": "false",
      ])
  }

  static let logKey = "aisle.log_id"
  static let tenantKey = "aisle.tenant"
  static let formatKey = "aisle.format_version"

  /// The same for the same table of the same log, so that its first commit is the same too.
  private static func id(of table: String, in identity: LakeIdentity) -> String {
    let digits = Array(
      SHA256.hexadecimal(of: Array("\(identity.logText)/\(identity.tenant.rawValue)/\(table)".utf8)))
    let parts = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
    return parts.map { String($0) }.joined(separator: "-")
  }

  /// Reads what is committed, and refuses a table that is not this log's.
  func refresh() throws {
    // A commit whose name is not durable yet must not get a successor that is.
    try Directory.synchronize(layout.deltaLog(of: schema.name))
    try log.refresh()
    let found = log.metaData?.configuration ?? [:]
    if let version = found[Self.formatKey].flatMap({ Int($0) }), version > LakeLayout.formatVersion {
      throw LakeError.unsupportedFormat(path: layout.deltaCommit(0, of: schema.name), version: version)
    }
    let tenant = found[Self.tenantKey] ?? "none"
    let id = found[Self.logKey] ?? "none"
    guard tenant == "\(identity.tenant.rawValue)", id == identity.logText else {
      throw LakeError.anotherLog(
        directory: layout.root, lake: "tenant \(tenant) of log \(id)", expected: "\(identity)")
    }
  }

  /// The file that rows of this date, and of this category where the table is divided by it, go to.
  func part(category: String? = nil, date: String) throws -> DeltaPart {
    if let (part, latestCategory, latestDate) = latest, latestCategory == category, latestDate == date {
      return part
    }
    let partition = ["\(identity.tenant.rawValue)"] + (category.map { [$0] } ?? []) + [date]
    let part =
      try open[partition]
      ?? DeltaPart(schema, partition: partition, layout: layout, level: level, step: step)
    open[partition] = part
    latest = (part, category, date)
    return part
  }

  /// Writes what is held in memory to the disk, so that memory is bounded however many files are open.
  func spill() throws {
    for (_, part) in open.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) { try part.spill() }
  }

  /// Makes the rows since the last commit part of the table, all of them or none, together with the position that the
  /// table is complete up to.
  ///
  /// Throws `LostRace` when another export committed first.
  func commit(
    through last: Int64, eventID: String, recordedAt: Timestamp
  ) throws -> [DeltaPart.Finished] {
    let first = log.lastPosition + 1
    let modified = recordedAt.microseconds / 1000
    var parts: [DeltaPart.Finished] = []
    for (_, part) in open.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      parts.append(try part.finish(first: first, last: last, modified: modified))
    }
    let placement = FilePlacement(layout: layout, step: step)
    var directories: Set<String> = []
    for part in parts { try place(part, placement, noting: &directories) }
    try placement.flush(directories)
    let rows = parts.reduce(0) { $0 + $1.rows }
    let range = DeltaAction.Range(
      firstPosition: first, lastPosition: last, lastEventID: eventID, count: rows, previousSHA256: log.digest)
    try commit(
      [
        DeltaAction(
          commitInfo: .init(
            timestamp: modified, operation: "WRITE", operationParameters: ["mode": "Append"],
            engineInfo: "aisle", aisle: range)),
        DeltaAction(txn: .init(appId: DeltaLog.application(schema.name), version: last)),
      ] + parts.map { DeltaAction(add: $0.add) })
    open = [:]
    latest = nil
    return parts
  }

  private func place(
    _ part: DeltaPart.Finished, _ placement: FilePlacement, noting directories: inout Set<String>
  ) throws {
    try placement.place(part.temporaryPath, at: part.path, noting: &directories) { final in
      // Someone who shares the lake wrote the same range; the same events give the same bytes.
      guard try PartReader.digest(of: final) == part.sha256 else {
        let before = log.version
        try log.refresh()
        if log.version > before { throw LostRace() }
        throw LakeError.conflictingFile(path: final)
      }
    }
  }

  private func commit(_ actions: [DeltaAction]) throws {
    let content = try actions.encoded()
    let version = log.version + 1
    try FilePlacement(layout: layout, step: step).commit(
      content, as: layout.deltaCommit(version, of: schema.name))
    // Not read back: another exporter's next commit may be there already.
    try log.append(
      DeltaLog.Commit(version: version, digest: SHA256.hexadecimal(of: content), actions: actions))
  }

  func discard() {
    for part in open.values { try? Directory.remove(part.temporaryPath) }
    open = [:]
    latest = nil
  }

  /// Removes the data files that no commit has ever named; returns how many.
  func removeOrphans() throws -> Int {
    try log.refresh()
    let placement = FilePlacement(layout: layout, step: step)
    var removed = 0
    for path in try Directory.files(schema.name, in: layout.root)
    where LakeLayout.isDeltaPart(path, of: identity.tenant.rawValue, in: schema) && !log.named.contains(path)
    {
      try placement.removeOrphan(path)
      removed += 1
    }
    return removed
  }
}
