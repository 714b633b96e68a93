import struct Foundation.UUID

/// Gives finished files their names, such that none is seen before all of it is on the disk.
struct FilePlacement {
  let layout: LakeLayout
  let step: ExportStepHook

  /// Gives a data file its final name; `path` is relative to the lake. `taken` decides what a file of that name means.
  func place(
    _ temporary: String, at path: String, noting directories: inout Set<String>,
    taken: (_ final: String) throws -> Void
  ) throws {
    var folder = layout.root
    directories.insert(folder)
    for name in path.split(separator: "/").dropLast() {
      folder += "/" + name
      try Directory.create(folder)
      directories.insert(folder)
    }
    let final = layout.absolute(path)
    if try !Directory.link(temporary, as: final) { try taken(final) }
    try step(.partLinked)
    try Directory.remove(temporary)
    try step(.temporaryRemoved)
  }

  /// Makes the names durable; deepest first, so that none is before what it leads to.
  func flush(_ directories: Set<String>) throws {
    for directory in directories.sorted(by: >) { try Directory.synchronize(directory) }
    try step(.directoriesFlushed)
  }

  /// The commit: puts the entry in its place, or throws `LostRace` when there is one.
  func commit(_ content: [UInt8], as path: String) throws {
    let temporary = "\(layout.temporary)/entry-\(UUID().uuidString)\(LakeLayout.temporarySuffix)"
    do {
      let file = try File.create(temporary)
      try content.withBytes { (bytes) throws(LakeError) in try file.write(bytes) }
      try step(.entryWritten)
      try file.synchronize()
      try step(.entryFlushed)
      guard try Directory.link(temporary, as: path) else { throw LostRace() }
      try step(.entryLinked)
    } catch {
      try? Directory.remove(temporary)
      throw error
    }
    try Directory.remove(temporary)
    try step(.entryTemporaryRemoved)
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    try Directory.synchronize(folder)
    try step(.manifestFlushed)
  }

  /// Removes what is left under `_temporary`; returns how many files.
  func removeTemporaries() throws -> Int {
    var removed = 0
    for name in try Directory.names(layout.temporary) where name.hasSuffix(LakeLayout.temporarySuffix) {
      try Directory.remove("\(layout.temporary)/\(name)")
      removed += 1
      try step(.orphanRemoved)
    }
    return removed
  }

  /// Removes a data file, and its folder when nothing else is in it.
  func removeOrphan(_ path: String) throws {
    let file = layout.absolute(path)
    try Directory.remove(file)
    if let slash = file.lastIndex(of: "/") { Directory.removeIfEmpty(String(file[..<slash])) }
    try step(.orphanRemoved)
  }
}
