/// The check of a lake of JSON lines.
actor LakeCheck: LakeChecking {
  nonisolated let executor = ThreadExecutor(name: "lake-check")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let layout: LakeLayout
  private let identity: LakeIdentity?
  private let head: Int64?
  private let clock = ContinuousClock()
  private let started: ContinuousClock.Instant

  private var report = LakeReport()
  private var previous: ManifestEntry?
  private var previousDigest: String?
  /// The entry before was unreadable, which is reported: what follows from that is not reported again.
  private var isChainBroken = false
  /// The files that entries name.
  private var named: Set<String> = []
  /// Of the last entry that there was when the check began.
  private var lastNumber: Int64 = 0
  private var events = EventCheck()

  init(layout: LakeLayout, identity: LakeIdentity?, head: Int64?) {
    self.layout = layout
    self.identity = identity
    self.head = head
    started = clock.now
  }

  func begin() throws(LakeError) -> [Int64] {
    guard Directory.size(layout.manifest) != nil else { throw .notALake(directory: layout.root) }
    let numbers = try ManifestLog.numbers(layout)
    lastNumber = numbers.last ?? 0
    return numbers
  }

  /// Checks an entry and its files; returns how many events have been read so far.
  func checkEntry(_ number: Int64) throws(LakeError) -> Int64 {
    let name = "_manifest/\(LakeLayout.padded(number)).json"
    let entry: ManifestEntry
    let digest: String
    do {
      (entry, digest) = try ManifestLog.read(number, layout)
    } catch {
      if case .unsupportedFormat = error { throw error }
      add(.manifest, file: name, "cannot be used: \(error)")
      isChainBroken = true
      return events.count
    }
    report.entries += 1
    if !isChainBroken,
      let reason = ManifestLog.contradiction(entry, number: number, after: previous, digest: previousDigest)
    {
      add(.manifest, file: name, reason)
    }
    isChainBroken = false
    checkRange(entry, name)
    for file in entry.files { try check(file, of: entry, name) }
    if let last = events.lastID, !entry.files.isEmpty, last != entry.lastEventID,
      events.nextPosition == entry.lastPosition + 1
    {
      add(.manifest, file: name, "its last event is \(entry.lastEventID), the file ends with \(last)")
    }
    previous = entry
    previousDigest = digest
    return events.count
  }

  func finish() throws(LakeError) -> LakeReport {
    report.tenant = previous?.tenant
    report.logID = previous?.logID
    if let identity, identity.tenant.rawValue != previous?.tenant || identity.logText != previous?.logID {
      let found = previous.map { "the lake is of tenant \($0.tenant) of log \($0.logID)" }
      add(.identity, "expected \(identity), \(found ?? "the lake has no entry that says of which log it is")")
    }
    try checkOrphans()
    report.digest = previousDigest
    report.lastPosition = previous?.lastPosition
    report.end(events, expecting: head, after: clock.now - started)
    return report
  }

  private func checkOrphans() throws(LakeError) {
    try report.findOrphans(in: layout, unnamedFiles)
    if report.isBeingExported { return }
    for path in report.orphans {
      let advice =
        LakeLayout.isPart(path, of: report.tenant)
        ? "an export was interrupted or the entry is gone; run aisle lake export to complete or remove it"
        : "it is not the work of an export of this lake; move it away"
      add(.orphan, file: path, "no manifest entry names it: \(advice)")
    }
  }

  private func unnamedFiles() throws(LakeError) -> [String] {
    let files = try Directory.files(LakeLayout.events, in: layout.root)
    // After the files: an entry comes after what it names.
    for number in try ManifestLog.numbers(layout) where number > lastNumber {
      // What is wrong with entries that are newer than this check is the next one's business.
      if let entry = try? ManifestLog.read(number, layout).entry { named.formUnion(entry.files.map(\.path)) }
    }
    return files.filter { !named.contains($0) }
  }

  /// The entry's own arithmetic.
  private func checkRange(_ entry: ManifestEntry, _ name: String) {
    if report.firstPosition == nil { report.firstPosition = entry.firstPosition }
    if entry.count != entry.lastPosition - entry.firstPosition + 1 {
      add(
        .manifest, file: name,
        "it counts \(entry.count) events, its positions \(entry.firstPosition)–\(entry.lastPosition) are "
          + "\(entry.lastPosition - entry.firstPosition + 1)")
    }
    var next = entry.firstPosition
    for file in entry.files {
      if file.firstPosition != next {
        add(.manifest, file: name, "\(file.path) starts at \(file.firstPosition), expected \(next)")
      }
      if file.count != file.lastPosition - file.firstPosition + 1 {
        add(
          .manifest, file: name, "it counts \(file.count) events in \(file.path), which contradicts its range"
        )
      }
      next = file.lastPosition + 1
    }
    if next != entry.lastPosition + 1 {
      add(.manifest, file: name, "its files end at \(next - 1), expected \(entry.lastPosition)")
    }
    if entry.firstPosition != events.nextPosition {
      add(
        .position, file: name, position: entry.firstPosition,
        "expected position \(events.nextPosition); the events between are in no entry that can be read")
      events.skip(to: entry.firstPosition)
    }
  }

  private func check(_ file: ManifestEntry.File, of entry: ManifestEntry, _ name: String) throws(LakeError) {
    let canonical = LakeLayout.part(
      tenant: entry.tenant, date: file.eventDate, first: file.firstPosition, last: file.lastPosition)
    // Also keeps an altered manifest from leading outside the lake.
    guard file.path == canonical, !file.eventDate.contains("/") else {
      add(.manifest, file: name, "it names the file \(file.path), expected \(canonical)")
      return events.skip(to: file.lastPosition + 1)
    }
    named.insert(file.path)
    let path = layout.absolute(file.path)
    guard let size = Directory.size(path) else {
      add(
        .fileMissing, file: file.path, "expected \(file.bytes) bytes with \(file.count) events, found no file"
      )
      return events.skip(to: file.lastPosition + 1)
    }
    if size != file.bytes { add(.fileSize, file: file.path, "expected \(file.bytes) bytes, found \(size)") }
    report.files += 1
    report.bytes += size

    let outcome = try PartReader.read(path) { number, line in
      for problem in events.check(line, number: number, in: file) { report.add(problem) }
    }
    report.uncompressedBytes += outcome.uncompressedBytes
    if outcome.sha256 != file.sha256 {
      add(.fileHash, file: file.path, "expected SHA-256 \(file.sha256), found \(outcome.sha256)")
    }
    if let damage = outcome.damage {
      add(.fileDamaged, file: file.path, line: outcome.lines + 1, "cannot be read from here: \(damage)")
    }
    if outcome.lines != file.count {
      add(.lineCount, file: file.path, "expected \(file.count) lines, found \(outcome.lines)")
    } else if outcome.uncompressedBytes != file.uncompressedBytes {
      add(
        .fileSize, file: file.path,
        "expected \(file.uncompressedBytes) bytes uncompressed, found \(outcome.uncompressedBytes)")
    }
    if events.nextPosition != file.lastPosition + 1 { events.skip(to: file.lastPosition + 1) }
  }

  private func add(
    _ kind: LakeProblem.Kind, file: String? = nil, line: Int64? = nil, position: Int64? = nil,
    _ message: String
  ) {
    report.add(LakeProblem(kind: kind, file: file, line: line, position: position, message: message))
  }
}
