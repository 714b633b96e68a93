import DequeModule
import Foundation

/// The appends that wait while batches are under way, without input or output. First come, first served.
struct AppendQueue<Reply> {
  struct Entry {
    let append: AtomicAppend
    let reply: Reply
  }

  struct Limits: Sendable {
    /// Most appends and bytes of one batch.
    var batchAppends = 1_000
    var batchBytes = 4 << 20
    /// Most appends and bytes that may wait; more are refused as overloaded.
    var waitingAppends = 20_000
    var waitingBytes = 128 << 20
    /// Batches under way at once. While one is being executed, the next one is on its way and waits for the log's
    /// lock in the database: between the two nothing waits for this process.
    var lanes = 2
    /// So many have to wait before another lane is worth it: below, two small batches cost more than the round trip.
    var laneAppends = 100
  }

  enum Admission {
    case startSending, queued
    case overloaded(waiting: Int)
  }

  let limits: Limits
  private var entries: Deque<Entry> = []
  private var bytes = 0
  private var lanesInUse = 0
  /// Appends in batches under way.
  private var underWay = 0

  init(limits: Limits) { self.limits = limits }

  var waiting: Int { entries.count }

  mutating func admit(_ entry: Entry) -> Admission {
    let size = entry.append.byteCount
    guard entries.count < limits.waitingAppends, bytes + size <= limits.waitingBytes || entries.isEmpty else {
      return .overloaded(waiting: entries.count)
    }
    entries.append(entry)
    bytes += size
    guard lanesInUse == 0 || lanesInUse < limits.lanes && isWorthALane else { return .queued }
    lanesInUse += 1
    return .startSending
  }

  /// A batch costs the same however small it is: beside another one, the next waits until it has some size.
  private var isWorthALane: Bool { entries.count >= max(limits.laneAppends, underWay / 2) }

  /// Whether a lane that has sent `sent` appends does well to wait a moment. Who was just answered often appends
  /// again at once, and would come too late for a batch that leaves now with the few that are here.
  func mayGrow(after sent: Int) -> Bool { lanesInUse == 1 && entries.count * 4 < sent * 3 }

  /// The next batch of a lane that has sent `sent` appends before; empty when there is nothing to send, and then the
  /// lane has ended.
  ///
  /// An append that repeats another one's event ids waits for the batch after it, which finds the first one stored:
  /// in the same batch it would be a conflict with itself.
  mutating func nextBatch(after sent: Int = 0) -> [Entry] {
    underWay -= sent
    var batch: [Entry] = []
    if lanesInUse == 1 || isWorthALane {
      // With every lane in use each takes its share, or one would take all and the others have nothing to do.
      let share = (entries.count + underWay + limits.lanes - 1) / limits.lanes
      batch = take(atMost: min(limits.batchAppends, lanesInUse == limits.lanes ? max(share, 1) : .max))
    }
    underWay += batch.count
    if batch.isEmpty { lanesInUse -= 1 }
    return batch
  }

  private mutating func take(atMost most: Int) -> [Entry] {
    var batch: [Entry] = []
    var firstIDs: Set<UUID> = []
    var size = 0
    while let next = entries.first, batch.count < most {
      let nextSize = next.append.byteCount
      if !batch.isEmpty && size + nextSize > limits.batchBytes { break }
      if let id = next.append.firstEventID, !firstIDs.insert(id).inserted { break }
      size += nextSize
      batch.append(entries.removeFirst())
    }
    bytes -= size
    return batch
  }
}
