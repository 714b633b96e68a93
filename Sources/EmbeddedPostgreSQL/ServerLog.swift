import Foundation

/// The file that the server's output is appended to.
struct ServerLog: Sendable {
  let path: String

  /// Beyond this size the log becomes `postgres.log.1`, replacing the previous one.
  static let rotationSize = 10 << 20

  /// Opens the log for a server to write to, whichever user it runs as.
  func openForAppending() throws(PostgresClusterError) -> Int32 {
    try openForWriting(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
  }

  var size: Int { FileFacts(path: path)?.size ?? 0 }

  /// Copies a log that has grown too large aside and empties it. A running server keeps its open
  /// descriptor and, because it appends, goes on at the new end.
  func rotateIfLarge() {
    guard size > Self.rotationSize else { return }
    let previous = "\(path).1"
    try? FileManager.default.removeItem(atPath: previous)
    do {
      try FileManager.default.copyItem(atPath: path, toPath: previous)
      truncate(path, 0)
    } catch {
      // A full disk, most likely: the log stays as it is, and the server says so soon enough.
    }
  }

  /// The last lines written since the log had `offset` bytes.
  func tail(since offset: Int = 0, lines: Int = 15) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    lseek(descriptor, off_t(max(offset, size - 16 * 1024)), SEEK_SET)
    let text = String(decoding: readAll(descriptor) ?? [], as: UTF8.self)
    return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
  }
}
