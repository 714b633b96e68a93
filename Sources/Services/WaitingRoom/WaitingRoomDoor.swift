import Vocabulary

/// Everybody who wants something of one waiting room queues here, in this process.
///
/// While one batch is with the database, others gather; then all of them are one statement of each kind. So fifty
/// thousand who ask every few seconds are some statements a second. Several processes may do this at once: the order of
/// tickets and the number of admissions are the database's.
actor WaitingRoomDoor {
  enum Wish: Sendable {
    case join(buyer: String)
    case look
    case leave
  }

  private struct Ask {
    let place: PlaceID
    let wish: Wish
    let reply: CheckedContinuation<Result<Answer, any Error>, Never>
  }

  struct Answer: Sendable {
    let sight: WaitingRoomTable.Sight
    /// Whether a ticket was drawn just now.
    let isNew: Bool
  }

  /// Bounds: those who may wait for an answer, those answered together, and ends of admissions that may wait.
  private static let maximumWaiting = 20_000
  private static let maximumBatch = 500
  private static let maximumServed = 10_000

  private let show: ShowID
  private let table: WaitingRoomTable
  private let metrics: WaitingRoomMetrics
  /// How often this process looks whether others can be let in.
  private let admissionInterval: Duration
  private var asks: [Ask] = []
  private var served: [String] = []
  private var isWorking = false
  private var nextAdmission = ContinuousClock.now
  private(set) var lastUsed = ContinuousClock.now

  init(_ show: ShowID, _ table: WaitingRoomTable, _ metrics: WaitingRoomMetrics, admissionInterval: Duration)
  {
    self.show = show
    self.table = table
    self.metrics = metrics
    self.admissionInterval = admissionInterval
  }

  func ask(_ wish: Wish, _ place: PlaceID) async throws -> Answer {
    guard asks.count < Self.maximumWaiting else {
      throw ServiceError.overloaded(
        "\(asks.count) already ask the waiting room of show \(show); ask again shortly")
    }
    lastUsed = .now
    let result = await withCheckedContinuation { reply in
      asks.append(Ask(place: place, wish: wish, reply: reply))
      start()
    }
    return try result.get()
  }

  /// A buyer needs the admission no longer. Nobody waits for this; if it is lost, the admission ends with its time.
  func serve(_ buyer: String) {
    guard served.count < Self.maximumServed else { return }
    lastUsed = .now
    served.append(buyer)
    start()
  }

  var isIdle: Bool { !isWorking && asks.isEmpty && served.isEmpty }

  private func start() {
    guard !isWorking else { return }
    isWorking = true
    // Ends by itself when nobody asks any more.
    Task { await self.work() }
  }

  private func work() async {
    while !asks.isEmpty || !served.isEmpty {
      let batch = Array(asks.prefix(Self.maximumBatch))
      asks.removeFirst(batch.count)
      let buyers = served
      served = []
      do {
        try await answer(batch, buyers)
      } catch {
        for ask in batch { ask.reply.resume(returning: .failure(ServiceError(reading: error))) }
      }
    }
    isWorking = false
  }

  private func answer(_ batch: [Ask], _ buyers: [String]) async throws {
    let leaving = batch.filter { if case .leave = $0.wish { true } else { false } }.map(\.place)
    if !leaving.isEmpty || !buyers.isEmpty { try await table.end(show, leaving: leaving, served: buyers) }

    var joined: [PlaceID: WaitingRoomTable.JoinOutcome] = [:]
    var wishes: [(place: PlaceID, buyer: String)] = []
    for ask in batch {
      // The same request may be here twice; the other one gets the same answer.
      if case .join(let buyer) = ask.wish, joined.updateValue(.known, forKey: ask.place) == nil {
        wishes.append((ask.place, buyer))
      }
    }
    var hasRoom = true
    if !wishes.isEmpty {
      let outcomes = try await table.join(show, wishes.map(\.place), buyers: wishes.map(\.buyer))
      hasRoom = outcomes != nil
      for (wish, outcome) in zip(wishes, outcomes ?? []) { joined[wish.place] = outcome }
      metrics.joined(joined.values.count { $0 == .joined })
    }
    if nextAdmission <= .now {
      nextAdmission = .now + admissionInterval
      try await table.admit(show)
    }
    let sights = batch.isEmpty ? [:] : try await table.look(show, batch.map(\.place))
    // Nothing throws from here on: each is answered once.
    for ask in batch {
      let outcome = joined[ask.place]
      ask.reply.resume(returning: result(ask, outcome, sights[ask.place], hasRoom: hasRoom))
    }
  }

  private func result(
    _ ask: Ask, _ outcome: WaitingRoomTable.JoinOutcome?, _ sight: WaitingRoomTable.Sight?, hasRoom: Bool
  ) -> Result<Answer, any Error> {
    if case .join = ask.wish {
      guard hasRoom else { return .failure(WaitingRoomRefusal.noRoom(show)) }
      switch outcome {
      case .present: return .failure(WaitingRoomRefusal.alreadyInLine(show))
      case .full: return .failure(WaitingRoomRefusal.full(show))
      case .reused: return .failure(WaitingRoomRefusal.idReused(show))
      case .joined, .known, nil: break
      }
    }
    guard let sight else { return .failure(WaitingRoomRefusal.noPlace(ask.place)) }
    return .success(Answer(sight: sight, isNew: outcome == .joined))
  }
}
