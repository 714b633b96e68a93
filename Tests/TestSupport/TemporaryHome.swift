import EmbeddedPostgreSQL
import Foundation

/// A home directory for a throw-away cluster, which is gone when this process is.
///
/// A small watcher process waits for a lock that this process holds. However this process ends,
/// SIGKILL included, the kernel then gives the lock to the watcher, which stops the server and
/// deletes the directory.
public final class TemporaryHome: Sendable {
  public let url: URL
  private let lock: Int32

  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public init() throws {
    var template = Array("\(Self.parent())/aisle-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure(description: "no temporary directory: \(String(cString: strerror(errno)))")
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    url = URL(filePath: path, directoryHint: .isDirectory)
    // The server's user has to get through.
    chmod(path, 0o755)
    lock = open("\(path)/process.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw Failure(description: "\(path)/process.lock: \(String(cString: strerror(errno)))")
    }
    try Self.startWatcher(path)
  }

  deinit { close(lock) }

  /// Deletes the directory. Its server must have been stopped.
  public func remove() {
    try? FileManager.default.removeItem(at: url)
    flock(lock, LOCK_UN)
  }

  /// Memory is faster than a disk when every commit is flushed, if there is enough of it: containers
  /// often get 64 MB of `/dev/shm`.
  private static func parent() -> String {
    let memory = "/dev/shm"
    let enough: UInt64 = 2 << 30
    if access(memory, W_OK) == 0, fileSystemFreeSpace(at: memory) ?? 0 >= enough { return memory }
    return "/tmp"
  }

  private static func startWatcher(_ path: String) throws {
    let watcher = Process()
    watcher.executableURL = URL(filePath: "/bin/sh")
    watcher.arguments = ["-c", watch, "aisle-test-watcher", path]
    watcher.currentDirectoryURL = URL(filePath: "/")
    watcher.standardInput = FileHandle.nullDevice
    watcher.standardOutput = FileHandle.nullDevice
    watcher.standardError = FileHandle.nullDevice
    try watcher.run()
  }

  private static let watch = """
    flock -x "$1/process.lock" true
    file="$1/postgres/postmaster.pid"
    # Held by every process of a server and of an initdb.
    while [ -e "$1/postgres.server.lock" ] && ! flock -n -x "$1/postgres.server.lock" true; do
      if [ -e "$file" ]; then
        server=$(sed -n 1p "$file")
        socket=$(sed -n 5p "$file")
        grep -q "$1" "/proc/$server/cmdline" && kill -QUIT "$server"
      fi
      sleep 0.1
    done
    case "$socket" in /tmp/aisle-*) rm -rf "$socket" ;; esac
    rm -rf "$1"
    """
}

/// Runs `body` with a home of its own, and afterwards stops what may still run there.
public func withTemporaryHome<T>(
  isolation: isolated (any Actor)? = #isolation, _ body: (URL) async throws -> T
) async throws -> T {
  let home = try TemporaryHome()
  // The watcher cleans up when the lock goes, which is here or with the process.
  defer { withExtendedLifetime(home) {} }
  return try await body(home.url)
}
