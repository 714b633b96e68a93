import Foundation

/// Runs a program to its end, with a deadline.
enum Program {
  struct Output: Sendable {
    let ending: ChildProcess.Ending
    let text: String
  }

  /// Blocks the calling thread. The program is handed `lock`, if any. When patience ends, the program is killed.
  static func run(
    _ command: [String], lock: FileLock? = nil, patience: Patience
  ) throws(PostgresClusterError) -> Output {
    let file = try temporaryFile()
    defer { close(file) }
    let child: ChildProcess
    do {
      child = try ChildProcess.spawn(command, output: file, lock: lock)
    } catch {
      return Output(ending: .exited(127), text: "\(command[0]) could not be run: \(error.description)")
    }
    guard let ending = patience.wait(until: { child.ending() }) else {
      child.killGroup()
      let ending = child.waitForEnding()
      if patience.end == .cancelled { throw .cancelled }
      return Output(ending: ending, text: text(of: file) + "\nkilled after \(patience.seconds) seconds")
    }
    return Output(ending: ending, text: text(of: file))
  }

  private static func text(of file: Int32) -> String {
    lseek(file, 0, SEEK_SET)
    return String(decoding: readAll(file) ?? [], as: UTF8.self)
  }

  /// A file without a name, for a program's output.
  private static func temporaryFile() throws(PostgresClusterError) -> Int32 {
    let path = "/tmp/aisle-output-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let file = try openForWriting(path, O_RDWR | O_CREAT | O_EXCL)
    unlink(path)
    return file
  }
}
