import Glibc

import struct Foundation.UUID

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

  /// The directories that every lake has.
  func prepare() throws(LakeError) {
    var path = layout.root.hasPrefix("/") ? "" : "."
    for name in layout.root.split(separator: "/") {
      let parent = path.isEmpty ? "/" : path
      path += "/" + name
      if try Directory.create(path) { try Directory.synchronize(parent) }
    }
    try Directory.create(layout.manifest)
    try Directory.create(layout.temporary)
    try Directory.synchronize(layout.root)
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
    var directories: Set<String> = []
    for part in parts { try place(part, noting: &directories) }
    // Deepest first, so that no name is durable before what it leads to.
    for directory in directories.sorted(by: >) { try Directory.synchronize(directory) }
    try step(.directoriesFlushed)

    let entry = ManifestEntry(
      formatVersion: LakeLayout.formatVersion, number: (manifest.last?.number ?? 0) + 1,
      tenant: identity.tenant.rawValue, logID: identity.logText, firstPosition: first.firstPosition,
      lastPosition: last.lastPosition, count: last.lastPosition - first.firstPosition + 1,
      lastEventID: lastEventID, previousSHA256: manifest.lastDigest, files: parts.map(\.file))
    try put(entry)
  }

  /// Gives a data file its final name.
  private mutating func place(_ part: PartWriter.Finished, noting directories: inout Set<String>) throws {
    var path = layout.root
    directories.insert(path)
    for name in part.file.path.split(separator: "/").dropLast() {
      path += "/" + name
      try Directory.create(path)
      directories.insert(path)
    }
    let final = layout.absolute(part.file.path)
    if try !Directory.link(part.temporaryPath, as: final) {
      // Someone who shares the lake wrote the same range; the same events give the same bytes.
      guard try PartReader.digest(of: final) == part.file.sha256 else {
        let before = manifest.lastPosition
        try manifest.refresh()
        if manifest.lastPosition > before { throw LostRace() }
        throw LakeError.conflictingFile(path: final)
      }
    }
    try step(.partLinked)
    try Directory.remove(part.temporaryPath)
    try step(.temporaryRemoved)
  }

  private mutating func put(_ entry: ManifestEntry) throws {
    let content = try entry.encoded()
    let path = "\(layout.temporary)/entry-\(UUID().uuidString)\(LakeLayout.temporarySuffix)"
    do {
      let file = try File.create(path)
      try content.withBytes { (bytes) throws(LakeError) in try file.write(bytes) }
      try step(.entryWritten)
      try file.synchronize()
      try step(.entryFlushed)
      guard try Directory.link(path, as: layout.entry(entry.number)) else { throw LostRace() }
      try step(.entryLinked)
    } catch {
      try? Directory.remove(path)
      throw error
    }
    try Directory.remove(path)
    try step(.entryTemporaryRemoved)
    try Directory.synchronize(layout.manifest)
    try step(.manifestFlushed)
    // Not read back: another exporter's next entry may be there already, and what this one has prepared since
    // would then be numbered after it.
    manifest.append(entry, content: content)
  }

  /// Removes what interrupted exports left. Only while nobody else writes: what looks left behind may be
  /// about to be committed.
  mutating func removeOrphans() throws {
    try manifest.refresh()
    for name in try Directory.names(layout.temporary) where name.hasSuffix(LakeLayout.temporarySuffix) {
      try Directory.remove("\(layout.temporary)/\(name)")
      try step(.orphanRemoved)
    }
    for path in try Directory.files(LakeLayout.events, in: layout.root)
    where LakeLayout.isPart(path, of: identity.tenant.rawValue) && !manifest.paths.contains(path) {
      let file = layout.absolute(path)
      try Directory.remove(file)
      if let slash = file.lastIndex(of: "/") { Directory.removeIfEmpty(String(file[..<slash])) }
      try step(.orphanRemoved)
    }
  }
}
