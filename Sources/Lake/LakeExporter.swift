import struct Foundation.URL

/// Copies a log into a directory of compressed files that any tool can read.
///
/// An export continues where the last one ended. It may be killed at any moment: what is committed stays
/// complete up to a position, and the next export goes on from there with the very bytes that the killed one
/// would have written. Memory does not grow with the log.
///
/// Files are cut at a change of the date (UTC, of `recorded_at`) and by `LakeExportOptions.targetBytes`. So
/// they depend on the events and on where the previous run *ended*: a run closes its last file short of the
/// target rather than hold events back.
public struct LakeExporter: Sendable {
  public let directory: URL
  public let identity: LakeIdentity
  public let options: LakeExportOptions
  package let step: ExportStepHook

  public init(directory: URL, identity: LakeIdentity, options: LakeExportOptions = LakeExportOptions()) {
    self.init(directory: directory, identity: identity, options: options) { _ in }
  }

  package init(
    directory: URL, identity: LakeIdentity, options: LakeExportOptions, step: @escaping ExportStepHook
  ) {
    self.directory = directory
    self.identity = identity
    self.options = options
    self.step = step
  }

  /// Opens the log after a position and hands over its events in order, in batches of any size, at least through
  /// another; what comes after that is ignored. Called again after a lost race.
  public typealias Feed = (
    _ after: Int64, _ through: Int64, _ deliver: @escaping @Sendable ([LakeRecord]) async throws -> Void
  ) async throws -> Void

  /// Exports everything through `position`, or as far as the log reaches.
  ///
  /// - Parameters:
  ///   - head: asks for the log's last position. Called when nobody else may write, and again after a lost race:
  ///     while this export waited, others may have taken the lake further than the log reached before.
  ///   - progress: called after each batch.
  /// - Throws: `LakeError`, or whatever `head` and `feed` throw.
  @discardableResult
  public func export(
    through position: Int64? = nil, head: () async throws -> Int64, reading feed: Feed,
    progress: @escaping @Sendable (LakeProgress) -> Void = { _ in }
  ) async throws -> LakeExportSummary {
    let writer = LakeWriter(
      layout: LakeLayout(root: directory.path), identity: identity, options: options, step: step)
    defer { writer.executor.stop() }
    do {
      try await open(writer)
      while true {
        do {
          try await writer.begin()
          let (after, through) = try await writer.aim(at: position, head: try await head())
          try await copy(feed, after: after, through: through, to: writer, progress)
          return try await writer.finish()
        } catch is LostRace {
          // Whoever won moved the lake forward, so this ends.
        }
      }
    } catch {
      await writer.abandon()
      throw error
    }
  }

  /// Removes what interrupted exports left, and does nothing else.
  ///
  /// It excludes every other export meanwhile, as `LakeExportOptions.whenBusy` says: what looks left behind may be what
  /// one at work is about to commit.
  ///
  /// - Returns: how many files it removed.
  public func vacuum() async throws -> Int {
    var options = options
    // It shares the lake with nobody.
    if options.whenBusy == .share { options.whenBusy = .wait }
    let writer = LakeWriter(
      layout: LakeLayout(root: directory.path), identity: identity, options: options, step: step)
    defer { writer.executor.stop() }
    do {
      try await open(writer)
      try await writer.begin()
      return try await writer.vacuum()
    } catch {
      await writer.abandon()
      throw error
    }
  }

  private func open(_ writer: LakeWriter) async throws {
    while true {
      do {
        return try await writer.open()
      } catch LakeError.busy where options.whenBusy != .fail {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  private func copy(
    _ feed: Feed, after: Int64, through: Int64, to writer: LakeWriter,
    _ progress: @escaping @Sendable (LakeProgress) -> Void
  ) async throws {
    let handover = BatchHandover(writer: writer, progress: progress)
    do {
      try await feed(after, through) { batch in try await handover.submit(batch) }
    } catch {
      await handover.abandon()
      throw error
    }
    try await handover.finish()
  }
}
