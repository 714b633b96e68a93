import Foundation
import TestSupport
import Testing

@testable import EventStore

@Suite("The queue of waiting appends")
struct AppendQueueTests {
  private typealias Queue = AppendQueue<Int>

  fileprivate static func append(_ id: String, bytes: Int = 2, event: UUID = UUID()) -> AtomicAppend {
    AtomicAppend(parts: [
      StreamAppend(
        StreamName(category: "test", id: id), expecting: .any,
        [NewEvent(id: event, type: "happened", data: Array(repeating: 0x20, count: bytes))])
    ])
  }

  @Test("only the first of many appends starts the sender, and it starts again after the queue ran empty")
  func oneSender() {
    var queue = Queue(limits: .init(lanes: 1))
    #expect(queue.admit(1) == "start")
    #expect(queue.admit(2) == "queued")
    #expect(queue.nextBatch().map(\.reply) == [1, 2])
    #expect(queue.admit(3) == "queued")
    #expect(queue.nextBatch().map(\.reply) == [3])
    #expect(queue.nextBatch().isEmpty)
    #expect(queue.admit(4) == "start")
  }

  @Test("batches keep the order of arrival and are bounded in number")
  func boundedNumber() {
    var queue = Queue(limits: .init(batchAppends: 3, lanes: 1))
    for number in 1...7 { _ = queue.admit(number) }
    #expect(queue.nextBatch().map(\.reply) == [1, 2, 3])
    #expect(queue.nextBatch().map(\.reply) == [4, 5, 6])
    #expect(queue.nextBatch().map(\.reply) == [7])
  }

  @Test("batches are bounded in bytes, but an append that is larger than a batch goes alone")
  func boundedBytes() {
    var queue = Queue(limits: .init(batchBytes: 1000, lanes: 1))
    for (number, bytes) in [(1, 200), (2, 200), (3, 5000), (4, 200)] {
      _ = queue.admit(number, Self.append("\(number)", bytes: bytes))
    }
    #expect(queue.nextBatch().map(\.reply) == [1, 2])
    #expect(queue.nextBatch().map(\.reply) == [3])
    #expect(queue.nextBatch().map(\.reply) == [4])
  }

  @Test("a full queue refuses, says how many wait, and takes more when there is room again")
  func overloaded() {
    var queue = Queue(limits: .init(batchAppends: 1, waitingAppends: 2, lanes: 1))
    #expect(queue.admit(1) == "start")
    #expect(queue.admit(2) == "queued")
    #expect(queue.admit(3) == "overloaded: 2 wait")
    #expect(queue.nextBatch().map(\.reply) == [1])
    #expect(queue.admit(4) == "queued")
    #expect(queue.waiting == 2)
  }

  @Test("waiting bytes are bounded too, and are given back as batches leave")
  func overloadedByBytes() {
    var queue = Queue(limits: .init(batchAppends: 1, waitingBytes: 2000, lanes: 1))
    #expect(queue.admit(1, Self.append("1", bytes: 1500)) == "start")
    #expect(queue.admit(2, Self.append("2", bytes: 1500)) == "overloaded: 1 wait")
    #expect(queue.nextBatch().count == 1)
    #expect(queue.admit(3, Self.append("3", bytes: 1500)) == "queued")
  }

  @Test("a repetition of an append never shares a batch with it, where it would conflict with itself")
  func repetition() {
    let id = UUID()
    var queue = Queue(limits: .init(lanes: 1))
    _ = queue.admit(1, Self.append("a", event: id))
    _ = queue.admit(2)
    _ = queue.admit(3, Self.append("a", event: id))
    _ = queue.admit(4)
    #expect(queue.nextBatch().map(\.reply) == [1, 2])
    #expect(queue.nextBatch().map(\.reply) == [3, 4])
  }

  @Test("a second lane starts beside a small batch, and each lane takes its share of what waits")
  func lanes() {
    var queue = Queue(limits: .init(lanes: 2, laneAppends: 1))
    #expect(queue.admit(1) == "start")
    #expect(queue.nextBatch().map(\.reply) == [1])
    #expect(queue.admit(2) == "start")
    #expect(queue.nextBatch().map(\.reply) == [2])
    for number in 3...9 { #expect(queue.admit(number) == "queued") }
    #expect(queue.nextBatch(after: 1).map(\.reply) == [3, 4, 5, 6])
    #expect(queue.nextBatch(after: 1).map(\.reply) == [7, 8, 9])
    #expect(queue.waiting == 0)
  }

  @Test("few appends are left to one lane, which waits a moment for those that it has just answered")
  func oneLaneForFew() {
    var queue = Queue(limits: .init(lanes: 2, laneAppends: 10))
    #expect(queue.admit(0) == "start")
    for number in 1..<8 { #expect(queue.admit(number) == "queued") }
    #expect(queue.nextBatch().count == 8)
    for number in 8..<13 { #expect(queue.admit(number) == "queued") }
    #expect(queue.mayGrow(after: 8))
    #expect(queue.admit(13) == "queued")
    #expect(!queue.mayGrow(after: 8))
    for number in 14..<17 { #expect(queue.admit(number) == "queued") }
    #expect(queue.admit(17) == "start")
    #expect(!queue.mayGrow(after: 20), "there is another lane")
  }

  @Test("a lane does not send a few appends beside a large batch; the other lane takes them along")
  func smallRest() {
    var queue = Queue(limits: .init(lanes: 2, laneAppends: 1))
    #expect(queue.admit(1, Self.append("1")) == "start")
    #expect(queue.admit(2) == "start")
    for number in 3...16 { _ = queue.admit(number) }
    #expect(queue.nextBatch().map(\.reply) == Array(1...8))
    #expect(queue.nextBatch().map(\.reply) == Array(9...16))
    #expect(queue.nextBatch(after: 8).isEmpty)
    for number in 17...19 { #expect(queue.admit(number) == "queued") }
    #expect(queue.admit(20) == "start")
    _ = queue.admit(21)
    // The lane that has just started takes its share, and ends when the next rest is too small for it.
    #expect(queue.nextBatch().map(\.reply) == Array(17...21))
    _ = queue.admit(22)
    #expect(queue.nextBatch(after: 5).isEmpty)
    #expect(queue.nextBatch(after: 8).map(\.reply) == [22])
    #expect(queue.nextBatch(after: 1).isEmpty)
    #expect(queue.admit(23) == "start")
  }

  @Test(
    "whatever the order of arrivals and answers, everything admitted leaves once, and no lane is left over")
  func nothingIsLeftBehind() {
    var random = SeededRandom(for: "no append is left behind in the queue")
    for _ in 0..<200 {
      var queue = Queue(
        limits: .init(
          batchAppends: Int.random(in: 1...8, using: &random), lanes: Int.random(in: 1...3, using: &random),
          laneAppends: Int.random(in: 1...5, using: &random)))
      var next = 0
      var left: [Int] = []
      var lanes: [Int] = []
      func turn(_ lane: Int) {
        let batch: [Int] = queue.nextBatch(after: lanes[lane]).map(\.reply)
        left += batch
        if batch.isEmpty { lanes.remove(at: lane) } else { lanes[lane] = batch.count }
      }
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        if lanes.isEmpty || Bool.random(using: &random) {
          if queue.admit(next) == "start" {
            lanes.append(0)
            turn(lanes.count - 1)
          }
          next += 1
        } else {
          turn(Int.random(in: lanes.indices, using: &random))
        }
        #expect(queue.waiting == 0 || !lanes.isEmpty, "appends wait and nobody will send them")
      }
      while !lanes.isEmpty { turn(Int.random(in: lanes.indices, using: &random)) }
      #expect(left.sorted() == Array(0..<next))
    }
  }
}

extension AppendQueue where Reply == Int {
  fileprivate mutating func admit(_ reply: Int, _ append: AtomicAppend? = nil) -> String {
    let append = append ?? AppendQueueTests.append("\(reply)")
    return switch admit(.init(append: append, reply: reply)) {
    case .startSending: "start"
    case .queued: "queued"
    case .overloaded(let waiting): "overloaded: \(waiting) wait"
    }
  }
}
