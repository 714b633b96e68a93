import EventStore
import Synchronization
import Vocabulary

/// The waiting rooms of a tenant's shows: open and close them, wait in them, and be let in.
///
/// Everything is in the database, so that all processes agree and a restart loses nobody's place. Each process knows the
/// open rooms from a look at most ``patience`` ago; a show without one costs nothing.
public final class WaitingRooms: Sendable {
  private let store: EventStore
  private let table: WaitingRoomTable
  private let patience: Duration
  private let admissionInterval: Duration
  public let metrics = WaitingRoomMetrics()

  private struct State {
    var rooms: [ShowID: WaitingRoom] = [:]
    var readAt: ContinuousClock.Instant?
    var reading: Task<[ShowID: WaitingRoom], any Error>?
    /// Counts changes by this process.
    var epoch = 0
    var doors: [ShowID: WaitingRoomDoor] = [:]
  }

  private let state = Mutex(State())

  /// Doors that are kept; idle ones go first, and are made again when somebody comes.
  private static let maximumDoors = 1_000

  /// - Parameters:
  ///   - patience: how long it takes at most until this process knows of a room that another one has opened or closed.
  ///   - admissionInterval: how often this process looks whether others can be let in, while anybody asks.
  public init(
    store: EventStore, patience: Duration = .seconds(1), admissionInterval: Duration = .seconds(1)
  ) {
    self.store = store
    self.patience = patience
    self.admissionInterval = admissionInterval
    table = WaitingRoomTable(pool: store.pool, tenant: store.tenant.rawValue)
  }

  // MARK: Organisers

  /// Opens a show's waiting room, or changes it. From then on nobody holds seats without an admission.
  public func open(_ show: ShowID, _ terms: WaitingRoom.Terms) async throws -> WaitingRoom.Status {
    guard try await store.scheduledShow(show) != nil else {
      throw ServiceError.notFound(kind: "show", id: show.rawValue)
    }
    guard try await table.open(show, terms) else {
      throw ServiceError.invalid(
        "\(WaitingRoomTable.maximumRooms) shows have a waiting room, which is all that there can be; close one first"
      )
    }
    forget()
    return try await status(of: show)
  }

  /// Closes it: nobody needs an admission any more, and those who wait are told so. Repeating it is fine.
  public func close(_ show: ShowID) async throws {
    try await table.close(show)
    forget()
  }

  public func status(of show: ShowID) async throws -> WaitingRoom.Status {
    guard let status = try await table.statuses(of: show).first else { throw WaitingRoomRefusal.noRoom(show) }
    return status
  }

  /// Of every open room.
  public func statuses() async throws -> [WaitingRoom.Status] { try await table.statuses() }

  // MARK: Buyers

  /// Waits behind everybody who waits already. Repeating it with the same id gives the same place.
  public func join(
    _ id: PlaceID, show: ShowID, buyer: BuyerID
  ) async throws -> (place: WaitingPlace, isNew: Bool) {
    guard let room = try await room(of: show) else { throw WaitingRoomRefusal.noRoom(show) }
    let answer = try await door(of: show).ask(.join(buyer: room.alias(of: buyer)), id)
    return (place(id, of: show, answer.sight, in: room), answer.isNew)
  }

  /// A place as it stands; asking also keeps it.
  public func look(_ id: PlaceID) async throws -> WaitingPlace { try await ask(.look, id) }

  /// Waits no longer, or gives the admission up; the next one is let in. Repeating it is fine.
  public func leave(_ id: PlaceID) async throws { _ = try await ask(.leave, id) }

  private func ask(_ wish: WaitingRoomDoor.Wish, _ id: PlaceID) async throws -> WaitingPlace {
    guard let show = id.show else { throw WaitingRoomRefusal.noPlace(id) }
    let room = try await room(of: show)
    return place(id, of: show, try await door(of: show).ask(wish, id).sight, in: room)
  }

  /// - Parameter room: nil if it was closed; its places have ended.
  private func place(
    _ id: PlaceID, of show: ShowID, _ sight: WaitingRoomTable.Sight, in room: WaitingRoom?
  ) -> WaitingPlace {
    var status = sight.status
    // Let in, but it has not been told so: that happens with its next question, which begins the admission's time.
    if status == .admitted, sight.claimedAt == nil { status = .waiting }
    let isWaiting = status == .waiting
    let position = isWaiting && sight.opensAt == nil ? Int(max(1, sight.ticket - sight.called)) : nil
    var admission: Admission?
    if status == .admitted, let room, let end = sight.expiresAt {
      admission = room.admission(id, of: sight.buyer, until: end)
    }
    return WaitingPlace(
      id: id, show: show, status: status, joinedAt: sight.joinedAt,
      opensAt: isWaiting ? sight.opensAt : nil, position: position,
      estimatedSeconds: position.flatMap { sight.seconds(for: $0) },
      askAgainAfter: isWaiting ? room?.terms.secondsToNextLook(from: position) : nil,
      admission: admission, endedAt: sight.endedAt)
  }

  // MARK: Admissions

  /// Refuses whoever may not hold seats of a show now. Passes everybody where there is no waiting room.
  public func requireAdmission(_ text: String?, to show: ShowID, buyer: BuyerID) async throws {
    guard let room = try await room(of: show) else { return }
    do {
      guard let text else { throw WaitingRoomRefusal.admissionNeeded(show) }
      let alias = room.alias(of: buyer)
      // The code first: who makes admissions up does not get as far as the database.
      guard let admission = Admission(text), admission.isGenuine(of: show, buyer: alias, with: room.key),
        let isGood = try await table.isAdmitted(admission.place, show, buyer: alias)
      else { throw WaitingRoomRefusal.admissionInvalid(show) }
      guard isGood else { throw WaitingRoomRefusal.admissionOver(show) }
    } catch let error as WaitingRoomRefusal {
      metrics.refused()
      throw error
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// A buyer's order of the show was confirmed: somebody else may shop. The order's answer waits for nothing here but the
  /// first look at the open rooms; if this fails, the admission ends with its time.
  func served(_ buyer: BuyerID, at show: ShowID) async {
    let known = state.withLock { state in state.readAt.map { (age: .now - $0, room: state.rooms[show]) } }
    let room: WaitingRoom?
    if let known {
      room = known.room
      // For the next one.
      if known.age >= patience { _ = reading() }
    } else {
      room = (try? await read())?[show]
    }
    guard let room else { return }
    await door(of: show).serve(room.alias(of: buyer))
  }

  // MARK: What this process knows

  private func room(of show: ShowID) async throws(ServiceError) -> WaitingRoom? {
    let known = state.withLock { state -> WaitingRoom?? in
      guard let readAt = state.readAt, .now - readAt < patience else { return nil }
      return .some(state.rooms[show])
    }
    if let known { return known }
    do {
      return try await read()[show]
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// Many may call this at once: the first one reads, the others wait for it.
  private func read() async throws -> [ShowID: WaitingRoom] { try await reading().value }

  private func reading() -> Task<[ShowID: WaitingRoom], any Error> {
    state.withLock { state in
      if let reading = state.reading { return reading }
      let (start, epoch) = (ContinuousClock.now, state.epoch)
      let task = Task {
        do {
          let rooms = Dictionary(try await table.openRooms().map { ($0.show, $0) }) { first, _ in first }
          finish(epoch) {
            $0.rooms = rooms
            $0.readAt = start
          }
          return rooms
        } catch {
          finish(epoch) { _ in }
          throw error
        }
      }
      state.reading = task
      return task
    }
  }

  /// What was read before something was changed here is not kept.
  private func finish(_ epoch: Int, _ change: (inout State) -> Void) {
    state.withLock { state in
      guard state.epoch == epoch else { return }
      state.reading = nil
      change(&state)
    }
  }

  /// What is known is out of date.
  private func forget() {
    state.withLock { state in
      state.epoch += 1
      state.readAt = nil
      state.reading = nil
    }
  }

  private func door(of show: ShowID) async -> WaitingRoomDoor {
    await dropIdleDoors()
    return state.withLock { state in
      if let door = state.doors[show] { return door }
      let door = WaitingRoomDoor(show, table, metrics, admissionInterval: admissionInterval)
      state.doors[show] = door
      return door
    }
  }

  /// Two doors of one room in one process are as right as two processes.
  private func dropIdleDoors() async {
    let all = state.withLock { $0.doors.count > Self.maximumDoors ? $0.doors : [:] }
    guard !all.isEmpty else { return }
    var idle: [(show: ShowID, since: ContinuousClock.Instant)] = []
    for (show, door) in all where await door.isIdle { idle.append((show, await door.lastUsed)) }
    idle.sort { $0.since < $1.since }
    let dropped = idle.prefix(all.count - Self.maximumDoors / 2).map(\.show)
    state.withLock { state in
      for show in dropped { state.doors[show] = nil }
    }
  }
}

extension WaitingRoomTable.Sight {
  /// Shorter measurements say nothing.
  private static let shortestMeasurement: Int64 = 10_000

  /// How long it takes until so many admissions have ended; nil if none has lately.
  fileprivate func seconds(for position: Int) -> Int? {
    guard ends > 0, milliseconds >= Self.shortestMeasurement else { return nil }
    // Whoever waits for a year need not know it to the second, and nothing overflows.
    let estimate = (Double(position) * Double(milliseconds) / Double(ends) / 1000).rounded(.up)
    return Int(min(estimate, 31_536_000))
  }
}

extension WaitingRoom.Terms {
  /// Often enough to be there when the turn comes; who is far from it asks more seldom.
  fileprivate func secondsToNextLook(from position: Int?) -> Int {
    max(1, absenceSeconds / ((position ?? .max) <= shoppers ? 12 : 4))
  }
}
