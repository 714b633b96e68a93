/// The right to write to a lake. Ends with the process, however it ends.
final class LakeLock {
  private let file: File

  private init(file: consuming File) { self.file = file }

  // Closing is not enough: a process that was forked a moment ago may still hold a copy of the descriptor.
  deinit { file.unlock() }

  /// nil when another export excludes this one.
  static func take(_ layout: LakeLayout, exclusive: Bool) throws(LakeError) -> LakeLock? {
    let file = try File.shared(layout.lock)
    guard try file.lock(exclusive: exclusive) else { return nil }
    // For the message that the next one prints; nothing depends on it.
    if exclusive { try file.replaceContent(Array("\(ProcessID.current)\n".utf8)) }
    return LakeLock(file: file)
  }

  /// Whether this is now the only holder. When it is not, nothing is held any more.
  func becomeExclusive() throws(LakeError) -> Bool { try file.lock(exclusive: true) }

  /// Whether an export is at work. It takes the lock for an instant to find out, so ask only if it matters.
  static func isHeld(_ layout: LakeLayout) throws(LakeError) -> Bool {
    guard Directory.size(layout.lock) != nil else { return false }
    let file: File
    // Network file systems lock only what may be written; of others a lake may be read-only.
    do { file = try File.shared(layout.lock) } catch { file = try File.read(layout.lock) }
    guard try file.lock(exclusive: true) else { return true }
    file.unlock()
    return false
  }

  /// The process that holds the lock, as it wrote itself down.
  static func holder(_ layout: LakeLayout) -> String? {
    guard let bytes = try? File.read(layout.lock).readAll() else { return nil }
    let text = String(decoding: bytes.prefix { $0 != .newline }, as: UTF8.self)
    return text.isEmpty ? nil : text
  }
}
