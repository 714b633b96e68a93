/// The blocking half of an export: hands the events to the lake's format, which compresses and commits. Has a thread of
/// its own.
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
  /// Of the lake's format, which is known once the lock is held.
  private var sink: (any LakeSink)?
  private var lastPosition: Int64 = 0
  /// The id of the lake's last event, until the feed has confirmed it.
  private var anchor: String?
  /// Where this run ends.
  private var target: Int64 = 0
  private var mayRemoveOrphans = false
  private var startPosition: Int64?
  private var writtenBytes: Int64 = 0

  init(
    layout: LakeLayout, identity: LakeIdentity, options: LakeExportOptions, step: @escaping ExportStepHook
  ) {
    self.layout = layout
    self.options = options
    self.identity = identity
    self.step = step
    started = clock.now
  }

  /// Throws `LakeError.busy` while others exclude this export.
  func open() throws {
    try layout.prepare()
    lock = try LakeLock.take(layout, exclusive: options.whenBusy != .share)
    guard lock != nil else {
      throw LakeError.busy(directory: layout.root, holder: LakeLock.holder(layout))
    }
    try step(.lockTaken)
    let found = try LakeFormat.found(in: layout)
    if let found, let format = options.format, found != format {
      throw LakeError.anotherFormat(directory: layout.root, found: found, expected: format)
    }
    switch found ?? options.format ?? .delta {
    case .delta: sink = DeltaSink(layout: layout, identity: identity, options: options, step: step)
    case .ndjson: sink = ManifestSink(layout: layout, identity: identity, options: options, step: step)
    }
    try sink?.prepare()
  }

  /// Starts, or starts again after a lost race, by reading where the lake ends.
  func begin() throws {
    sink?.discard()
    try sink?.refresh()
  }

  /// Removes what interrupted exports left, and does nothing else; returns how many files.
  func vacuum() throws -> Int {
    defer { lock = nil }
    return try sink?.removeOrphans() ?? 0
  }

  /// Decides what to export: through `position`, or the log's head, and never less than the lake has. `head` has
  /// to have been read after `begin`: what the lake holds was in the log by then, or the log lost it.
  ///
  /// Returns what the feed has to bring: from one before the lake's end, so that the last exported event is seen
  /// and compared.
  func aim(at position: Int64?, head: Int64) throws -> (after: Int64, through: Int64) {
    let end = sink?.end ?? LakeEnd()
    guard end.furthest <= head else {
      throw LakeError.aheadOfLog(directory: layout.root, lake: end.furthest, log: head)
    }
    target = max(end.position, min(position ?? head, head))
    mayRemoveOrphans = options.whenBusy != .share
    if mayRemoveOrphans { try sink?.removeOrphans() }
    lastPosition = end.position
    anchor = end.eventID
    if startPosition == nil { startPosition = lastPosition }
    return (max(0, lastPosition - 1), target)
  }

  func append(_ batch: [LakeRecord]) throws -> LakeProgress {
    try Task.checkCancellation()
    for record in batch { try append(record) }
    return progress
  }

  /// Closes the last, short file and commits it.
  func finish() throws -> LakeExportSummary {
    try sink?.finish()
    guard lastPosition == target, anchor == nil else {
      throw LakeError.feedEnded(last: anchor == nil ? lastPosition : lastPosition - 1, expected: target)
    }
    // Whoever leaves last cleans up after all that shared the lake.
    if options.whenBusy == .share, try lock?.becomeExclusive() == true { try sink?.removeOrphans() }
    lock = nil
    let committed = sink?.committed ?? LakeCommitted()
    return LakeExportSummary(
      startPosition: startPosition ?? 0, lastPosition: lastPosition, entries: committed.entries,
      files: committed.files, events: committed.events, uncompressedBytes: committed.uncompressedBytes,
      compressedBytes: committed.compressedBytes, seconds: (clock.now - started) / .seconds(1))
  }

  /// Removes what is not committed, as far as it can; the next export removes the rest.
  func abandon() {
    sink?.discard()
    if mayRemoveOrphans { _ = try? sink?.removeOrphans() }
    lock = nil
  }

  private func append(_ record: LakeRecord) throws {
    if record.position > target { return }
    if let anchor { return try compare(record, with: anchor) }
    guard record.position == lastPosition + 1 else {
      throw LakeError.positionGap(expected: lastPosition + 1, found: record.position)
    }
    writtenBytes += try sink?.append(record) ?? 0
    lastPosition = record.position
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

  private var progress: LakeProgress {
    let start = startPosition ?? 0
    return LakeProgress(
      eventsDone: lastPosition - start, eventsTotal: target - start, position: lastPosition,
      uncompressedBytes: writtenBytes, elapsed: clock.now - started)
  }
}
