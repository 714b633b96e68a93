import Glibc

enum ProcessID {
  static var current: Int32 { getpid() }
}

/// Another export committed first; what was prepared is void.
struct LostRace: Error {}

/// Makes finished files part of the lake, all of them or none.
///
/// The order is what makes it safe: content of the files, names of the files, content of the entry, name of
/// the entry; each flushed to the disk before the next. Readers begin at the entries, so they see a file only
/// when everything about it is durable.
struct Committer {
  private(set) var manifest: ManifestLog
  let layout: LakeLayout
  let identity: LakeIdentity
  let step: ExportStepHook

  init(layout: LakeLayout, identity: LakeIdentity, step: @escaping ExportStepHook) {
    manifest = ManifestLog(layout: layout)
    self.layout = layout
    self.identity = identity
    self.step = step
  }

  func prepare() throws(LakeError) {
    if try Directory.create(layout.manifest) { try Directory.synchronize(layout.root) }
  }

  /// Reads what is committed, and refuses a lake that is not this log's.
  mutating func refresh() throws {
    // An entry whose name is not durable yet must not get a successor that is.
    try Directory.synchronize(layout.manifest)
    try manifest.refresh()
    if let last = manifest.last {
      guard last.tenant == identity.tenant.rawValue, last.logID == identity.logText else {
        throw LakeError.anotherLog(
          directory: layout.root, lake: "tenant \(last.tenant) of log \(last.logID)", expected: "\(identity)")
      }
    }
    try step(.manifestRead)
  }

  /// Commits the files as the next entry, or throws `LostRace`.
  mutating func commit(_ parts: [PartWriter.Finished], lastEventID: String) throws {
    guard let first = parts.first?.file, let last = parts.last?.file else { return }
    let placement = FilePlacement(layout: layout, step: step)
    var directories: Set<String> = []
    for part in parts { try place(part, placement, noting: &directories) }
    try placement.flush(directories)

    let entry = ManifestEntry(
      formatVersion: LakeLayout.formatVersion, number: (manifest.last?.number ?? 0) + 1,
      tenant: identity.tenant.rawValue, logID: identity.logText, firstPosition: first.firstPosition,
      lastPosition: last.lastPosition, count: last.lastPosition - first.firstPosition + 1,
      lastEventID: lastEventID, previousSHA256: manifest.lastDigest, files: parts.map(\.file))
    let content = try entry.encoded()
    try placement.commit(content, as: layout.entry(entry.number))
    // Not read back: another exporter's next entry may be there already, and what this one has prepared since
    // would then be numbered after it.
    manifest.append(entry, content: content)
  }

  private mutating func place(
    _ part: PartWriter.Finished, _ placement: FilePlacement, noting directories: inout Set<String>
  ) throws {
    try placement.place(part.temporaryPath, at: part.file.path, noting: &directories) { final in
      // Someone who shares the lake wrote the same range; the same events give the same bytes.
      guard try PartReader.digest(of: final) == part.file.sha256 else {
        let before = manifest.lastPosition
        try manifest.refresh()
        if manifest.lastPosition > before { throw LostRace() }
        throw LakeError.conflictingFile(path: final)
      }
    }
  }

  /// Removes what interrupted exports left. Only while nobody else writes: what looks left behind may be
  /// about to be committed.
  mutating func removeOrphans() throws -> Int {
    try manifest.refresh()
    let placement = FilePlacement(layout: layout, step: step)
    var removed = try placement.removeTemporaries()
    for path in try Directory.files(LakeLayout.events, in: layout.root)
    where LakeLayout.isPart(path, of: identity.tenant.rawValue) && !manifest.paths.contains(path) {
      try placement.removeOrphan(path)
      removed += 1
    }
    return removed
  }
}
