import EmbeddedPostgreSQL
import Foundation

/// A tmpfs of a fixed size that can be filled to the brim; needs root.
final class SmallDisk: Sendable {
  struct Unavailable: Error, CustomStringConvertible {
    let description: String
  }

  let path: String
  private var ballast: String { "\(path)/ballast" }

  init(at path: String, megabytes: Int) async throws {
    self.path = path
    guard geteuid() == 0 else { throw Unavailable(description: "mounting a small tmpfs needs root") }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let mounted = await onDedicatedThread {
      SmallDisk.run("/bin/mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0755", "aisle-chaos", path)
    }
    guard mounted == 0 else {
      throw Unavailable(
        description: "a small tmpfs could not be mounted at \(path) (mount: status \(mounted))")
    }
  }

  /// Leaves so many bytes.
  func fill(leaving rest: Int) throws {
    guard let free = fileSystemFreeSpace(at: path) else { return }
    let file = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw Unavailable(description: "the ballast: \(String(cString: strerror(errno)))")
    }
    defer { close(file) }
    // tmpfs reserves the pages without writing them.
    let status = posix_fallocate(file, 0, max(1, Int(free) - rest))
    guard status == 0 || status == ENOSPC else {
      throw Unavailable(description: "the ballast: \(String(cString: strerror(status)))")
    }
  }

  func empty() { unlink(ballast) }

  func unmount() async {
    let path = path
    _ = await onDedicatedThread { SmallDisk.run("/bin/umount", "--lazy", path) }
    rmdir(path)
  }

  /// Runs a program to its end; blocks.
  private static func run(_ program: String, _ arguments: String...) -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }
}
