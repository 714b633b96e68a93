import EventStore
import Foundation
import PostgreSQL

/// Appends at random and records what it was told.
struct ChaosWriter: Sendable {
  let store: EventStore
  let recorder: HistoryRecorder
  let workload: Workload
  let subject: String

  private struct ChangedMyMind: Error {}

  /// - Parameter isOver: asked before each operation.
  func run(until isOver: @Sendable () -> Bool) async throws {
    var random = ChaosRandom(seed: workload.seed, subject: subject)
    var seen: [String: Int64] = [:]
    var earlier: [[AppendPart]] = []
    while !isOver() && !Task.isCancelled {
      var parts = draw(seen, earlier, &random)
      if let old = earlier.last, random.chance(workload.repeated) { parts = old }
      let isInTransaction = random.chance(workload.inTransaction)
      let answer = try await append(parts, isInTransaction: isInTransaction, isKept: random.chance(70))
      learn(from: answer, &seen)
      if case .unknown = answer, random.chance(70) {
        // As a careful caller does: again, with the same ids.
        learn(from: try await append(parts, isInTransaction: false, isKept: true), &seen)
      }
      if case .committed = answer { earlier = earlier.suffix(5) + [parts] }
      if case .failed(.unavailable, _) = answer { try? await Task.sleep(for: .milliseconds(50)) }
      try? await Task.sleep(for: .microseconds(random.number(in: 0...max(1, workload.pause * 1000))))
    }
  }

  private func draw(
    _ seen: [String: Int64], _ earlier: [[AppendPart]], _ random: inout ChaosRandom
  ) -> [AppendPart] {
    let count = random.chance(70) ? 1 : random.number(in: 2...3)
    let numbers = random.shuffled(Array(0..<workload.streams)).prefix(count)
    let isPoisonous = random.chance(workload.poisonous)
    var parts = numbers.enumerated().map { index, number in
      let stream = workload.stream(number)
      let expected: Expectation =
        switch random.number(in: 1...100) {
        case 1...45: .any
        case 46...85: .version(seen[stream] ?? 0)
        case 86...90: .none
        case 91...95: .exists
        default: .version(Int64(random.number(in: 0...20)))
        }
      let events = (0..<random.number(in: index == 0 ? 1...3 : 0...2)).map { place in
        ProposedEvent(
          value: Int64(random.number(in: 1...1_000_000)), isPoison: isPoisonous && index == 0 && place == 0)
      }
      return AppendPart(stream, expected, events)
    }
    if let used = random.element(of: earlier)?.first?.events.first, random.chance(workload.reused) {
      // In the second place: an append that begins with a known id is a retry.
      parts[0].events.append(ProposedEvent(id: used.id, value: used.value))
    }
    return parts
  }

  private func learn(from answer: AppendAnswer, _ seen: inout [String: Int64]) {
    switch answer {
    case .committed(let places), .duplicate(let places):
      for place in places { seen[place.stream] = place.version }
    case .conflict(let actual): for stream in actual { seen[stream.stream] = stream.version }
    case .unknown, .failed: break
    }
  }

  /// - Parameter isInTransaction: as a part of a longer one, which is committed if it is to be kept.
  func append(
    _ parts: [AppendPart], isInTransaction: Bool = false, isKept: Bool = true
  ) async throws -> AppendAnswer {
    let operation = recorder.nextOperation()
    try recorder.record(.appendBegan(operation: operation, parts: parts))
    let appends = parts.map { part in
      StreamAppend(
        StreamName(part.stream) ?? StreamName(category: Workload.category, id: part.stream),
        expecting: part.expected.expectedVersion, part.events.map(ChaosEvent.new))
    }
    let answer =
      isInTransaction
      ? await appendInTransaction(appends, isKept: isKept) : await append(appends)
    try recorder.record(.appendEnded(operation: operation, answer: answer))
    return answer
  }

  private func append(_ appends: [StreamAppend]) async -> AppendAnswer {
    do throws(AppendError) {
      return AppendAnswer(try await store.append(appends))
    } catch {
      return .failed(.init(error), error.description)
    }
  }

  private func appendInTransaction(_ appends: [StreamAppend], isKept: Bool) async -> AppendAnswer {
    do {
      return try await store.pool.transaction { connection in
        let outcomes = try await store.append([appends], inTransactionOf: connection)
        // The log's lock is held while this goes to and fro.
        try await connection.query("select 1")
        guard isKept else { throw ChangedMyMind() }
        return outcomes.first.map { AppendAnswer($0) } ?? .failed(.invalid, "no answer")
      }
    } catch is ChangedMyMind {
      return .failed(.rolledBack, "rolled back on purpose")
    } catch let error as AppendError {
      return .failed(.init(error), error.description)
    } catch let error as PostgresError where error.kind == .server && !error.isConnectionLost {
      // The server said so: data that it refuses, a deadlock, a lock that it took away.
      switch error.sqlState {
      case .uniqueViolation?: return .failed(.eventIDReused, error.description)
      case let state? where state.isCausedByInput: return .failed(.rejected, error.description)
      default: return .failed(.rolledBack, error.description)
      }
    } catch let error as PostgresError where error.kind == .connectFailed || error.kind == .poolExhausted {
      return .failed(.unavailable, error.description)
    } catch {
      return .unknown("\(error)")
    }
  }
}

extension Expectation {
  var expectedVersion: ExpectedVersion {
    switch self {
    case .any: .any
    case .none: .noStream
    case .exists: .streamExists
    case .version(let version): .version(version)
    }
  }
}

extension AppendAnswer {
  init(_ outcome: AppendOutcome) {
    func places(_ receipt: AppendReceipt) -> [Place] {
      receipt.streams.map {
        Place($0.name.description, version: $0.version, position: $0.position?.rawValue)
      }
    }
    switch outcome {
    case .committed(let receipt): self = .committed(places(receipt))
    case .duplicate(let receipt): self = .duplicate(places(receipt))
    case .conflict(let conflict):
      self = .conflict(conflict.streams.map { ActualVersion($0.name.description, $0.actual) })
    case .unknown(let error): self = .unknown(error.description)
    }
  }
}

extension AppendAnswer.Failure {
  init(_ error: AppendError) {
    self =
      switch error {
      case .invalid: .invalid
      case .overloaded: .overloaded
      case .rejected, .refused: .rejected
      case .eventIDReused: .eventIDReused
      case .unavailable: .unavailable
      }
  }
}
