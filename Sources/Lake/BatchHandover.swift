/// Lets the log send the next batch while the last one is being written; holds never more than these two.
actor BatchHandover {
  private let writer: LakeWriter
  private let progress: @Sendable (LakeProgress) -> Void
  private var writing: Task<LakeProgress, any Error>?

  init(writer: LakeWriter, progress: @escaping @Sendable (LakeProgress) -> Void) {
    self.writer = writer
    self.progress = progress
  }

  /// Returns as soon as the batch before is written. One caller, one call at a time.
  func submit(_ batch: [LakeRecord]) async throws {
    try await finish()
    try Task.checkCancellation()
    writing = Task { [writer] in try await writer.append(batch) }
  }

  func finish() async throws {
    guard let writing else { return }
    self.writing = nil
    progress(try await writing.value)
  }

  /// Waits until nothing is being written any more.
  func abandon() async {
    writing?.cancel()
    _ = await writing?.result
    writing = nil
  }
}
