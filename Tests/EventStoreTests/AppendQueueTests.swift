import Foundation
import Testing

@testable import EventStore

@Suite("The queue of waiting appends")
struct AppendQueueTests {
  private typealias Queue = AppendQueue<Int>

  private static func append(_ id: String, bytes: Int = 2, event: UUID = UUID()) -> [StreamAppend] {
    [
      StreamAppend(
        StreamName(category: "test", id: id), expecting: .any,
        [NewEvent(id: event, type: "happened", data: Array(repeating: 0x20, count: bytes))])
    ]
  }

  @Test("only the first of many appends starts the sender, and it starts again after the queue ran empty")
  func oneSender() {
    var queue = Queue(limits: .init())
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
    var queue = Queue(limits: .init(batchAppends: 3))
    for number in 1...7 { _ = queue.admit(number) }
    #expect(queue.nextBatch().map(\.reply) == [1, 2, 3])
    #expect(queue.nextBatch().map(\.reply) == [4, 5, 6])
    #expect(queue.nextBatch().map(\.reply) == [7])
  }

  @Test("batches are bounded in bytes, but an append that is larger than a batch goes alone")
  func boundedBytes() {
    var queue = Queue(limits: .init(batchBytes: 1000))
    for (number, bytes) in [(1, 200), (2, 200), (3, 5000), (4, 200)] {
      _ = queue.admit(number, Self.append("\(number)", bytes: bytes))
    }
    #expect(queue.nextBatch().map(\.reply) == [1, 2])
    #expect(queue.nextBatch().map(\.reply) == [3])
    #expect(queue.nextBatch().map(\.reply) == [4])
  }

  @Test("a full queue refuses, says how many wait, and takes more when there is room again")
  func overloaded() {
    var queue = Queue(limits: .init(batchAppends: 1, waitingAppends: 2))
    #expect(queue.admit(1) == "start")
    #expect(queue.admit(2) == "queued")
    #expect(queue.admit(3) == "overloaded: 2 wait")
    #expect(queue.nextBatch().map(\.reply) == [1])
    #expect(queue.admit(4) == "queued")
    #expect(queue.waiting == 2)
  }

  @Test("waiting bytes are bounded too, and are given back as batches leave")
  func overloadedByBytes() {
    var queue = Queue(limits: .init(batchAppends: 1, waitingBytes: 2000))
    #expect(queue.admit(1, Self.append("1", bytes: 1500)) == "start")
    #expect(queue.admit(2, Self.append("2", bytes: 1500)) == "overloaded: 1 wait")
    #expect(queue.nextBatch().count == 1)
    #expect(queue.admit(3, Self.append("3", bytes: 1500)) == "queued")
  }

  @Test("a repetition of an append never shares a batch with it, where it would conflict with itself")
  func repetition() {
    let id = UUID()
    var queue = Queue(limits: .init())
    _ = queue.admit(1, Self.append("a", event: id))
    _ = queue.admit(2)
    _ = queue.admit(3, Self.append("a", event: id))
    _ = queue.admit(4)
    #expect(queue.nextBatch().map(\.reply) == [1, 2])
    #expect(queue.nextBatch().map(\.reply) == [3, 4])
  }
}

extension AppendQueue where Reply == Int {
  fileprivate mutating func admit(_ reply: Int, _ append: [StreamAppend]? = nil) -> String {
    let event = NewEvent(id: UUID(), type: "happened", data: Array("{}".utf8))
    let append =
      append ?? [StreamAppend(StreamName(category: "test", id: "\(reply)"), expecting: .any, [event])]
    return switch admit(.init(append: append, reply: reply)) {
    case .startSending: "start"
    case .queued: "queued"
    case .overloaded(let waiting): "overloaded: \(waiting) wait"
    }
  }
}
