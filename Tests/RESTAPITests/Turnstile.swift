/// Lets so many in at once; the others wait for their turn.
actor Turnstile {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(places: Int) { free = places }

  func pass(_ body: @Sendable () async throws -> Void) async throws {
    await enter()
    do {
      try await body()
    } catch {
      leave()
      throw error
    }
    leave()
  }

  private func enter() async {
    guard free == 0 else {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func leave() {
    if waiting.isEmpty {
      free += 1
    } else {
      waiting.removeFirst().resume()
    }
  }
}
