import EventStore
import Foundation
import PostgreSQL

/// Reads at random and records what it saw.
struct ChaosReader: Sendable {
  let store: EventStore
  let recorder: HistoryRecorder
  let workload: Workload
  let subject: String

  func run(until isOver: @Sendable () -> Bool) async throws {
    var random = ChaosRandom(seed: workload.seed, subject: subject)
    var last: Int64 = 0
    while !isOver() && !Task.isCancelled {
      let stream = workload.stream(random.number(in: 0...workload.streams - 1))
      let request: ReadRequest =
        switch random.number(in: 0...9) {
        case 0...1: .stream(stream, from: 1, limit: 1000)
        case 2...3: .streamBackward(stream, limit: random.number(in: 1...20))
        case 4: .version(stream)
        case 5: .head
        case 6: .log(after: Int64(random.number(in: 0...Int(last))), limit: 20)
        // The tail is where holes would be.
        default: .log(after: last, limit: 200)
        }
      let operation = recorder.nextOperation()
      try recorder.record(.readBegan(operation: operation, request: request))
      let answer: ReadAnswer
      do {
        answer = try await read(request)
      } catch {
        answer = .failed("\(error)")
      }
      try recorder.record(.readEnded(operation: operation, answer: answer))
      if case .events(let events) = answer { last = max(last, events.map(\.position).max() ?? 0) }
      try? await Task.sleep(for: .microseconds(random.number(in: 0...max(1, workload.pause * 1000))))
    }
  }

  private func read(_ request: ReadRequest) async throws -> ReadAnswer {
    func name(_ stream: String) -> StreamName {
      StreamName(stream) ?? StreamName(category: Workload.category, id: stream)
    }
    return switch request {
    case .stream(let stream, let from, let limit):
      .events(try await store.read(name(stream), from: from, limit: limit).map(LoggedEvent.init))
    case .streamBackward(let stream, let limit):
      .events(try await store.read(name(stream), direction: .backward, limit: limit).map(LoggedEvent.init))
    case .log(let after, let limit):
      .events(try await store.readAll(after: Position(after), limit: limit).map(LoggedEvent.init))
    case .head: .number(try await store.head().rawValue)
    case .version(let stream): .number(try await store.version(of: name(stream)))
    }
  }
}
