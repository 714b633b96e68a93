import Foundation

/// An advisory lock (`flock`) on a file.
///
/// The kernel drops the lock when the last copy of the descriptor is closed, whatever ended its
/// process, so a SIGKILL cannot leave a wrong count or a stale owner behind. Descriptors are opened
/// close-on-exec: a program that we start holds a lock only if it is handed one on purpose.
final class FileLock: Sendable {
  enum Mode: Sendable { case shared, exclusive }

  let path: String
  let descriptor: Int32

  /// Opens the lock file, making it if necessary.
  static func open(_ path: String) throws(PostgresClusterError) -> FileLock {
    while true {
      let descriptor = try openForWriting(path, O_RDWR | O_CREAT)
      let lock = FileLock(path: path, descriptor: descriptor)
      // Somebody may have removed the home meanwhile; a lock on a nameless file guards nothing.
      if lock.isAtItsPath { return lock }
    }
  }

  /// Opens the lock file if there is one.
  static func openExisting(_ path: String) -> FileLock? {
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    return descriptor < 0 ? nil : FileLock(path: path, descriptor: descriptor)
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Takes the lock, or changes its mode, if that is possible at once. When a change of mode is
  /// refused, the lock that was held is lost: `flock` releases before it takes.
  func tryLock(_ mode: Mode) throws(PostgresClusterError) -> Bool {
    while flock(descriptor, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      switch errno {
      case EWOULDBLOCK: return false
      case EINTR: continue
      default: throw .homeUnusable(path: path, reason: "its file system cannot lock files: \(errnoText())")
      }
    }
    return true
  }

  /// Gives the lock up, also for programs that were handed it.
  func unlock() { flock(descriptor, LOCK_UN) }

  private var isAtItsPath: Bool {
    guard let held = FileFacts(descriptor: descriptor), let named = FileFacts(path: path) else {
      return false
    }
    return held.device == named.device && held.inode == named.inode
  }
}
