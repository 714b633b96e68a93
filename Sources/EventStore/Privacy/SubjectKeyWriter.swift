import PostgreSQL
import Vocabulary

/// Makes keys for the people of many appends at once: what comes in while one statement is under way goes out with
/// the next, so a rush of new buyers costs a few flushes of the WAL and not one each.
actor SubjectKeyWriter {
  private typealias Reply = CheckedContinuation<Result<[DataSubject: SubjectKey], any Error>, Never>

  private let keys: SubjectKeyTable
  private var waiting: [(subjects: Set<DataSubject>, reply: Reply)] = []
  private var isWorking = false

  /// Most people of one statement. How many may wait is bounded by the callers, who bound what they append.
  private static let maximumBatch = 5000

  init(keys: SubjectKeyTable) { self.keys = keys }

  func make(_ subjects: Set<DataSubject>) async throws -> [DataSubject: SubjectKey] {
    let result = await withCheckedContinuation { (reply: Reply) in
      waiting.append((subjects, reply))
      guard !isWorking else { return }
      isWorking = true
      // Ends by itself when nobody waits any more.
      Task { await self.work() }
    }
    return try result.get()
  }

  private func work() async {
    while !waiting.isEmpty {
      var all: Set<DataSubject> = []
      var count = 0
      while count < waiting.count,
        all.isEmpty || all.count + waiting[count].subjects.count <= Self.maximumBatch
      {
        all.formUnion(waiting[count].subjects)
        count += 1
      }
      let batch = waiting.prefix(count)
      waiting.removeFirst(count)
      let result: Result<[DataSubject: SubjectKey], any Error>
      do {
        result = .success(try await keys.make(all))
      } catch {
        result = .failure(error)
      }
      for (subjects, reply) in batch {
        reply.resume(returning: result.map { made in made.filter { subjects.contains($0.key) } })
      }
    }
    isWorking = false
  }
}
