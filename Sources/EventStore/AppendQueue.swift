import DequeModule
import Foundation

/// The appends that wait while a batch is in flight, without input or output. First come, first served.
struct AppendQueue<Reply> {
  struct Entry {
    let append: [StreamAppend]
    let reply: Reply
  }

  struct Limits: Sendable {
    /// Most appends and bytes of one batch.
    var batchAppends = 1_000
    var batchBytes = 4 << 20
    /// Most appends and bytes that may wait; more are refused as overloaded.
    var waitingAppends = 20_000
    var waitingBytes = 128 << 20
  }

  enum Admission {
    case startSending, queued
    case overloaded(waiting: Int)
  }

  let limits: Limits
  private var entries: Deque<Entry> = []
  private var bytes = 0
  private var isSending = false

  init(limits: Limits) { self.limits = limits }

  var waiting: Int { entries.count }

  mutating func admit(_ entry: Entry) -> Admission {
    let size = entry.append.byteCount
    guard entries.count < limits.waitingAppends, bytes + size <= limits.waitingBytes || entries.isEmpty else {
      return .overloaded(waiting: entries.count)
    }
    entries.append(entry)
    bytes += size
    if isSending { return .queued }
    isSending = true
    return .startSending
  }

  /// The next batch; empty when there is nothing to send, and then sending has stopped.
  ///
  /// An append that repeats another one's event ids waits for the batch after it, which finds the first one stored:
  /// in the same batch it would be a conflict with itself.
  mutating func nextBatch() -> [Entry] {
    var batch: [Entry] = []
    var firstIDs: Set<UUID> = []
    var size = 0
    while let next = entries.first, batch.count < limits.batchAppends {
      let nextSize = next.append.byteCount
      if !batch.isEmpty && size + nextSize > limits.batchBytes { break }
      if let id = next.append.firstEventID, !firstIDs.insert(id).inserted { break }
      size += nextSize
      batch.append(entries.removeFirst())
    }
    bytes -= size
    if batch.isEmpty { isSending = false }
    return batch
  }
}
