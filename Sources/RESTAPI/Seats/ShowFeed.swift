import Booking
import EventStore
import Services
import Vocabulary

/// The changes of a show's seats as server-sent events: first from the show's stream, then from the log's tail.
struct ShowFeed: EventFeed {
  let store: EventStore
  let show: ShowID
  /// Of the show, through which changes have been given.
  private(set) var version: Int64
  private(set) var position = Position.start
  private var isLive = false

  init(store: EventStore, show: ShowID, version: Int64) {
    self.store = store
    self.show = show
    self.version = version
  }

  mutating func next(from tail: EventTail) async throws -> [ServerSentEvent] {
    let events = isLive ? try await live(from: tail) : try await past()
    return try events.compactMap { event in
      version = event.version
      guard let change = try SeatChangeBody(event) else { return nil }
      return ServerSentEvent(id: event.version, data: try PayloadEncoder().encode(change))
    }
  }

  private mutating func past() async throws -> [RecordedEvent] {
    // The head first: what the stream has up to it is then read here, what comes after it by the tail.
    let head = try await store.head()
    let events = try await store.read(.show(show), from: version + 1, limit: 500)
    if events.count == 500 {
      position = events.last?.position ?? position
    } else {
      isLive = true
      position = head
    }
    return events
  }

  private mutating func live(from tail: EventTail) async throws -> [RecordedEvent] {
    let batch = try await tail.next(after: position, EventFilter(categories: [Booking.Event.category]))
    position = batch.through
    let stream = StreamName.show(show)
    return batch.events.filter { $0.stream == stream && $0.version > version }
  }
}

/// Seats that changed, and to what.
struct SeatChangeBody: Encodable {
  enum State: String, Encodable { case available, held, booked }

  struct Seat: Encodable {
    let seat: SeatID
    let state: State
  }

  let version: Int64
  let position: Position
  let seats: [Seat]

  /// nil for an event that changes no seat.
  init?(_ recorded: RecordedEvent) throws {
    let change: (seats: [SeatID], state: State)
    switch try recorded.decode(as: Booking.Event.self) {
    case .showScheduled, .holdExtended, .showCancelled, .waitingListJoined, .waitingListLeft: return nil
    case .seatsHeld(let fact): change = (fact.seats, .held)
    case .holdConfirmed(let fact): change = (fact.seats, .booked)
    case .holdReleased(let fact): change = (fact.seats, .available)
    case .holdExpired(let fact): change = (fact.seats, .available)
    case .bookingCancelled(let fact): change = (fact.seats, .available)
    case .bookingSeatsCancelled(let fact): change = (fact.seats, .available)
    }
    version = recorded.version
    position = recorded.position
    seats = change.seats.map { Seat(seat: $0, state: change.state) }
  }
}
