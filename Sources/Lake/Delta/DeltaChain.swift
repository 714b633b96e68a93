/// Follows the commits of one table: each continues the one before it, and has its files.
struct DeltaChain {
  let schema: DeltaSchema
  let layout: LakeLayout
  /// The table is complete up to here, by what its commits say.
  private(set) var lastPosition: Int64 = 0
  private(set) var lastEventID: String?
  private(set) var lastVersion: Int64 = -1
  private(set) var digest: String?
  private(set) var tenant: Int32?
  private(set) var logID: String?
  /// The path of every file that a commit names.
  private(set) var named: Set<String> = []
  private(set) var problems: [LakeProblem] = []
  private(set) var commits: Int64 = 0
  private(set) var files: Int64 = 0
  private(set) var bytes: Int64 = 0
  private(set) var uncompressedBytes: Int64 = 0
  /// The commit before was unreadable, which is reported: what follows from that is not reported again.
  private var isBroken = false

  /// What a commit adds.
  struct Step {
    let range: DeltaAction.Range
    /// Of those files that are there, what the commit says of each.
    let files: [(file: DeltaLog.File, statistics: DeltaStatistics)]
  }

  init(_ schema: DeltaSchema, layout: LakeLayout) {
    self.schema = schema
    self.layout = layout
  }

  mutating func takeProblems() -> [LakeProblem] {
    defer { problems = [] }
    return problems
  }

  /// Checks a commit and the digests of its files; nil if there is nothing to be read.
  mutating func check(_ version: Int64) throws(LakeError) -> Step? {
    let name = "\(schema.name)/_delta_log/\(LakeLayout.padded(version)).json"
    let commit: DeltaLog.Commit
    do {
      commit = try DeltaLog.read(version, layout, schema.name)
    } catch {
      if case .unsupportedFormat = error { throw error }
      add(.manifest, name, "cannot be used: \(error)")
      (isBroken, lastVersion) = (true, version)
      return nil
    }
    commits += 1
    if version != lastVersion + 1 { add(.manifest, name, "commit \(lastVersion + 1) is missing before it") }
    defer { (lastVersion, digest) = (version, commit.digest) }
    let isFirstReadable = isBroken
    isBroken = false
    if version == 0 {
      checkCreation(commit, name)
      return nil
    }
    guard let range = commit.range else {
      add(.manifest, name, "it is not the work of an export, which alone may write to this table")
      for action in commit.actions {
        if let add = action.add, let path = DeltaPath.decoded(add.path) {
          named.insert("\(schema.name)/\(path)")
        }
      }
      return nil
    }
    for number in [range.firstPosition, range.lastPosition, range.count &+ 1]
    where !LakeLayout.numbers.contains(number) {
      add(.manifest, name, "\(number) is not a number from 1 to 2^62")
      isBroken = true
      return nil
    }
    checkRange(range, commit, name, continues: !isFirstReadable)
    (lastPosition, lastEventID) = (max(lastPosition, range.lastPosition), range.lastEventID)
    var files: [(DeltaLog.File, DeltaStatistics)] = []
    var rows: Int64 = 0
    for add in commit.actions.compactMap(\.add) {
      guard let (file, statistics) = try check(add, of: range, name) else { continue }
      rows &+= statistics.numRecords
      files.append((file, statistics))
    }
    let missing = files.count < commit.actions.count { $0.add != nil }
    if !missing, rows != range.count {
      add(.manifest, name, "it counts \(range.count) rows, its files say that they have \(rows)")
    }
    return Step(range: range, files: files)
  }

  private mutating func checkCreation(_ commit: DeltaLog.Commit, _ name: String) {
    let metaData = commit.actions.lazy.compactMap(\.metaData).first
    tenant = metaData?.configuration[DeltaTable.tenantKey].flatMap { Int32($0) }
    logID = metaData?.configuration[DeltaTable.logKey]
    if tenant == nil || logID == nil { add(.manifest, name, "it does not say of which log the table is") }
    let schemaText = try? schema.text()
    if let metaData, metaData.schemaString != schemaText {
      add(.manifest, name, "the table has not the columns of \(schema.name)")
    }
  }

  private mutating func checkRange(
    _ range: DeltaAction.Range, _ commit: DeltaLog.Commit, _ name: String, continues: Bool
  ) {
    if continues {
      if range.previousSHA256 != digest {
        add(
          .manifest, name,
          "it follows a commit with SHA-256 \(range.previousSHA256 ?? "none"), the one before it has \(digest ?? "none")"
        )
      }
      if range.firstPosition != lastPosition + 1 {
        add(.manifest, name, "it starts at position \(range.firstPosition), expected \(lastPosition + 1)")
      }
    }
    let transaction = commit.actions.lazy.compactMap(\.txn).first
    if transaction?.version != range.lastPosition
      || transaction?.appId != DeltaLog.application(schema.name)
    {
      add(.manifest, name, "its transaction does not say that the table reaches \(range.lastPosition)")
    }
    if commit.actions.contains(where: { $0.remove != nil || $0.metaData != nil || $0.protocol != nil }) {
      add(.manifest, name, "it changes what the table is, which no export does")
    }
    if schema.name == LakeLayout.events, range.count != range.lastPosition &- range.firstPosition &+ 1 {
      add(
        .manifest, name,
        "it counts \(range.count) events, its positions \(range.firstPosition)–\(range.lastPosition) are another number"
      )
    }
  }

  /// The file, if it is there and may be read.
  private mutating func check(
    _ add: DeltaAction.Add, of range: DeltaAction.Range, _ name: String
  ) throws(LakeError) -> (DeltaLog.File, DeltaStatistics)? {
    let values = add.partitionValues.compactMapValues { $0 }
    let folders = schema.partitionColumns.map { DeltaPath.folder($0.name, values[$0.name] ?? "") }
    let part =
      "part-\(LakeLayout.padded(range.firstPosition))-\(LakeLayout.padded(range.lastPosition))\(LakeLayout.deltaSuffix)"
    let canonical = (folders + [part]).joined(separator: "/")
    // Also keeps an altered commit from leading outside the lake.
    guard DeltaPath.decoded(add.path) == canonical, values["tenant"].flatMap({ Int32($0) }) == tenant else {
      self.add(.manifest, name, "it names the file \(add.path), expected \(canonical)")
      return nil
    }
    let path = "\(schema.name)/\(canonical)"
    guard named.insert(path).inserted else {
      self.add(.manifest, name, "it names \(path), which is in the table already")
      return nil
    }
    guard let statistics = DeltaStatistics(text: add.stats),
      LakeLayout.numbers.contains(statistics.numRecords)
    else {
      self.add(.manifest, name, "it does not say how many rows \(path) has")
      return nil
    }
    guard let size = Directory.size(layout.absolute(path)) else {
      self.add(
        .fileMissing, path, "expected \(add.size) bytes with \(statistics.numRecords) rows, found no file")
      return nil
    }
    if size != add.size { self.add(.fileSize, path, "expected \(add.size) bytes, found \(size)") }
    let digest = try PartReader.digest(of: layout.absolute(path))
    let expected = add.tags?[DeltaAction.Add.digestTag] ?? "none"
    if digest != expected { self.add(.fileHash, path, "expected SHA-256 \(expected), found \(digest)") }
    files += 1
    bytes += size
    uncompressedBytes += add.tags?[DeltaAction.Add.uncompressedTag].flatMap { Int64($0) } ?? 0
    return (DeltaLog.File(path: path, partition: values), statistics)
  }

  private mutating func add(_ kind: LakeProblem.Kind, _ file: String, _ message: String) {
    problems.append(LakeProblem(kind: kind, file: file, line: nil, position: nil, message: message))
  }

  /// Takes note of the files of commits that are newer than this check.
  mutating func nameNewer() throws(LakeError) {
    for version in try DeltaLog.versions(layout, schema.name) where version > lastVersion {
      // What is wrong with commits that are newer than this check is the next one's business.
      guard let commit = try? DeltaLog.read(version, layout, schema.name) else { continue }
      for add in commit.actions.compactMap(\.add) {
        if let path = DeltaPath.decoded(add.path) { named.insert("\(schema.name)/\(path)") }
      }
    }
  }
}
