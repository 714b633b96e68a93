import Foundation
import Synchronization

/// Writes a history as it happens.
///
/// Into a file, one JSON object a line, each handed to the kernel before the call returns: what a killed process has
/// begun is known afterwards. Or into memory, up to a stated number of records.
public final class HistoryRecorder: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  private enum Sink {
    case file(Int32)
    case memory([HistoryRecord], limit: Int)
    case failed(Failure)
  }

  public let process: String
  /// Where the history goes; nil: into memory.
  public let file: String?
  private let sink: Mutex<Sink>
  private let lastOperation = Atomic(0)

  /// - Parameter file: is made; it must not exist.
  public init(process: String, file: String) throws {
    self.process = process
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw Failure(description: "\(file) cannot be written: \(String(cString: strerror(errno)))")
    }
    self.file = file
    sink = Mutex(.file(descriptor))
  }

  public init(process: String, memoryLimit: Int = 1_000_000) {
    self.process = process
    file = nil
    sink = Mutex(.memory([], limit: memoryLimit))
  }

  deinit {
    if case .file(let descriptor) = sink.withLock({ $0 }) { close(descriptor) }
  }

  /// A number for an operation of this process, which pairs its beginning with its end.
  public func nextOperation() -> Int { lastOperation.add(1, ordering: .relaxed).newValue }

  /// Records what happens now. Throws when it cannot, because a history with holes proves nothing: whoever is about
  /// to do something that would not be recorded must not do it.
  public func record(_ entry: HistoryRecord.Entry) throws {
    try sink.withLock { sink in
      // The time is taken under the lock, so that a process's records are in order.
      let record = HistoryRecord(at: Self.now(), process: process, entry)
      switch sink {
      case .failed(let failure): throw failure
      case .memory(var records, let limit):
        guard records.count < limit else {
          throw fail(&sink, "the history is longer than \(limit) records")
        }
        sink = .memory([], limit: limit)  // so that the array is not copied
        records.append(record)
        sink = .memory(records, limit: limit)
      case .file(let descriptor):
        // A few hundred bytes into the page cache; this does not wait for a disk.
        var line = try JSONEncoder().encode(record)
        line.append(UInt8(ascii: "\n"))
        let written = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == line.count else {
          throw fail(&sink, "the history cannot be written: \(String(cString: strerror(errno)))")
        }
      }
    }
  }

  private func fail(_ sink: inout Sink, _ reason: String) -> Failure {
    let failure = Failure(description: reason)
    sink = .failed(failure)
    return failure
  }

  /// What was recorded in memory.
  public func records() throws -> [HistoryRecord] {
    try sink.withLock { sink in
      switch sink {
      case .memory(let records, _): return records
      case .failed(let failure): throw failure
      case .file: throw Failure(description: "this history is in a file")
      }
    }
  }

  /// Nanoseconds of the clock that histories are ordered by.
  public static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
