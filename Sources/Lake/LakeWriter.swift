import struct Foundation.UUID

/// The blocking half of an export: cuts files, compresses, commits. Has a thread of its own.
actor LakeWriter {
  nonisolated let executor = ThreadExecutor(name: "lake-writer")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let layout: LakeLayout
  private let options: LakeExportOptions
  private let identity: LakeIdentity
  private let step: ExportStepHook
  private let clock = ContinuousClock()
  private let started: ContinuousClock.Instant

  private var lock: LakeLock?
  private var committer: Committer
  private var encoder = LineEncoder()
  /// The file that is being written.
  private var part: PartWriter?
  /// Files of the next entry.
  private var pending: [PartWriter.Finished] = []
  private var lastPosition: Int64 = 0
  private var lastID: UUID?
  /// The id of the lake's last event, until the feed has confirmed it.
  private var anchor: String?
  /// Where this run ends.
  private var target: Int64 = 0
  private var mayRemoveOrphans = false
  private var startPosition: Int64?
  private var writtenBytes: Int64 = 0
  private var summary: LakeExportSummary

  init(
    layout: LakeLayout, identity: LakeIdentity, options: LakeExportOptions, step: @escaping ExportStepHook
  ) {
    self.layout = layout
    self.options = options
    self.identity = identity
    self.step = step
    committer = Committer(layout: layout, identity: identity, step: step)
    started = clock.now
    summary = LakeExportSummary(
      startPosition: 0, lastPosition: 0, entries: 0, files: 0, events: 0, uncompressedBytes: 0,
      compressedBytes: 0, seconds: 0)
  }

  /// Throws `LakeError.busy` while others exclude this export.
  func open() throws {
    try committer.prepare()
    lock = try LakeLock.take(layout, exclusive: options.whenBusy != .share)
    guard lock != nil else {
      throw LakeError.busy(directory: layout.root, holder: LakeLock.holder(layout))
    }
    try step(.lockTaken)
  }

  /// Starts, or starts again after a lost race, by reading where the lake ends.
  func begin() throws {
    discard()
    try committer.refresh()
  }

  /// Decides what to export: through `position`, or the log's head, and never less than the lake has. `head` has
  /// to have been read after `begin`: what the lake holds was in the log by then, or the log lost it.
  ///
  /// Returns what the feed has to bring: from one before the lake's end, so that the last exported event is seen
  /// and compared.
  func aim(at position: Int64?, head: Int64) throws -> (after: Int64, through: Int64) {
    let end = committer.manifest.lastPosition
    guard end <= head else { throw LakeError.aheadOfLog(directory: layout.root, lake: end, log: head) }
    target = max(end, min(position ?? head, head))
    mayRemoveOrphans = options.whenBusy != .share
    if mayRemoveOrphans { try committer.removeOrphans() }
    lastPosition = end
    anchor = committer.manifest.last?.lastEventID
    if startPosition == nil {
      startPosition = lastPosition
      summary.startPosition = lastPosition
    }
    return (max(0, lastPosition - 1), target)
  }

  func append(_ batch: [LakeRecord]) throws -> LakeProgress {
    try Task.checkCancellation()
    for record in batch { try append(record) }
    return progress
  }

  /// Closes the last, short file and commits it.
  func finish() throws -> LakeExportSummary {
    try closePart()
    try commit()
    guard lastPosition == target, anchor == nil else {
      throw LakeError.feedEnded(last: anchor == nil ? lastPosition : lastPosition - 1, expected: target)
    }
    // Whoever leaves last cleans up after all that shared the lake.
    if options.whenBusy == .share, try lock?.becomeExclusive() == true { try committer.removeOrphans() }
    lock = nil
    summary.lastPosition = lastPosition
    summary.seconds = (clock.now - started) / .seconds(1)
    return summary
  }

  /// Removes what is not committed, as far as it can; the next export removes the rest.
  func abandon() {
    discard()
    if mayRemoveOrphans { try? committer.removeOrphans() }
    lock = nil
  }

  // MARK: Cutting

  private func append(_ record: LakeRecord) throws {
    if record.position > target { return }
    if let anchor { return try compare(record, with: anchor) }
    guard record.position == lastPosition + 1 else {
      throw LakeError.positionGap(expected: lastPosition + 1, found: record.position)
    }
    let date = encoder.eventDate(record.recordedAt)
    if let part, part.date != date { try closePart() }
    let part = try part ?? openPart(date: date, firstPosition: record.position)
    let before = part.uncompressedBytes
    try part.append(record, using: encoder)
    writtenBytes += part.uncompressedBytes - before
    lastPosition = record.position
    lastID = record.id
    if part.uncompressedBytes >= options.targetBytes { try closePart() }
  }

  /// The feed starts with the lake's last event: it has to be the same one.
  private func compare(_ record: LakeRecord, with anchor: String) throws {
    guard record.position == lastPosition else {
      throw LakeError.positionGap(expected: lastPosition, found: record.position)
    }
    let id = record.id.uuidString.lowercased()
    guard id == anchor else {
      throw LakeError.diverged(directory: layout.root, position: lastPosition, lake: anchor, log: id)
    }
    self.anchor = nil
  }

  private func openPart(date: String, firstPosition: Int64) throws -> PartWriter {
    let part = try PartWriter(
      layout: layout, date: date, firstPosition: firstPosition, level: options.compressionLevel, step: step)
    self.part = part
    return part
  }

  private func closePart() throws {
    guard let part else { return }
    pending.append(try part.finish(tenant: identity.tenant.rawValue))
    self.part = nil
    let bytes = pending.reduce(0) { $0 + $1.file.uncompressedBytes }
    if bytes >= options.targetBytes || pending.count >= options.filesPerEntry { try commit() }
  }

  private func commit() throws {
    guard !pending.isEmpty, let lastID else { return }
    try committer.commit(pending, lastEventID: lastID.uuidString.lowercased())
    summary.entries += 1
    summary.files += pending.count
    for part in pending {
      summary.events += part.file.count
      summary.uncompressedBytes += part.file.uncompressedBytes
      summary.compressedBytes += part.file.bytes
    }
    pending = []
  }

  private func discard() {
    let paths = pending.map(\.temporaryPath) + (part.map { [$0.temporaryPath] } ?? [])
    for path in paths { try? Directory.remove(path) }
    pending = []
    part = nil
  }

  private var progress: LakeProgress {
    let start = startPosition ?? 0
    return LakeProgress(
      eventsDone: lastPosition - start, eventsTotal: target - start, position: lastPosition,
      uncompressedBytes: writtenBytes, elapsed: clock.now - started)
  }
}
