import Booking
import EventStore
import Foundation
import PostgreSQL
import Services
import Vocabulary

/// How long a process that meets a large show for the first time takes until it can decide: folding all of its stream,
/// and from a snapshot, beside `COPY … TO` of the stream's events by `psql`.
struct OpenBenchmark: Sendable {
  struct Result: Sendable, Codable {
    let events: Int
    let copySeconds: Double
    let foldSeconds: Double
    let keepSeconds: Double
    /// As stored, compressed.
    let snapshotBytes: Int
    let openSeconds: Double
    /// With so many events after the snapshot as there may be before the next one.
    let openLateSeconds: Double
    let lateEvents: Int
  }

  let conninfo: String
  let psql: String
  let events: Int

  private static let show = ShowID(unchecked: "bench-\(UUID().uuidString.lowercased().prefix(8))")
  private static let seatsPerRow = 100

  func run(progress: @Sendable (String) -> Void) async throws -> Result {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    let store = EventStore(pool: pool)
    let stream = StreamName.show(Self.show)
    progress("selling \(events / 2) seats")
    let late = events / 10
    try await fill(store, stream, through: events)

    let copy = """
      \\copy (select e.* from aisle.events e where e.tenant = 1 and e.stream_id = (
        select s.id from aisle.streams s where s.tenant = 1 and s.name = '\(stream)') order by version) \
      to '/dev/null' (format binary)
      """.replacingOccurrences(of: "\n", with: " ")
    progress("COPY TO, twice, the second counts")
    _ = try await Shell.run(psql, [conninfo, "-q", "-c", copy])
    let copied = try await seconds { _ = try await Shell.run(psql, [conninfo, "-q", "-c", copy]) }

    progress("folding all of it")
    let plain = StreamFolder<Booking>(store: store)
    _ = try await plain.load(stream)
    let (folded, foldSeconds) = try await timed { try await plain.load(stream) }
    guard folded.version == Int64(events) else {
      throw CommandFailure("\(stream) has \(folded.version) events instead of \(events)")
    }

    progress("from its snapshot")
    let folder = StreamFolder<Booking>(
      store: store, snapshots: .every(.max, schema: Booking.State.snapshotSchema))
    let (kept, keepSeconds) = try await timed { await folder.keep(folded, of: stream) }
    guard kept else { throw CommandFailure("no snapshot of \(stream) was taken") }
    let size = try await pool.query(
      "select pg_column_size(state) from aisle.snapshots where tenant = 1 and stream = \(stream.description)")
    let (opened, openSeconds) = try await timed { try await folder.load(stream) }
    guard opened.version == folded.version else { throw CommandFailure("the snapshot is not of the end") }
    try await fill(store, stream, after: events, through: events + late)
    let (last, lateSeconds) = try await timed { try await folder.load(stream) }
    guard last.version == Int64(events + late) else { throw CommandFailure("the last events are missing") }
    try await pool.execute(
      "delete from aisle.snapshots where tenant = 1 and stream = \(stream.description)")
    await pool.close()
    return Result(
      events: events, copySeconds: copied, foldSeconds: foldSeconds, keepSeconds: keepSeconds,
      snapshotBytes: try size.first.map { Int(try $0.decode(Int32.self)) } ?? 0, openSeconds: openSeconds,
      openLateSeconds: lateSeconds, lateEvents: late)
  }

  private func seconds(_ body: () async throws -> Void) async throws -> Double { try await timed(body).1 }

  private func timed<T>(_ body: () async throws -> T) async throws -> (T, Double) {
    let start = ContinuousClock.now
    let value = try await body()
    return (value, start.duration(to: .now).secondsAsDouble)
  }

  /// One seat after the other is held, and all that are held are booked; the first event puts the show on sale.
  private func fill(
    _ store: EventStore, _ stream: StreamName, after before: Int = 0, through last: Int
  ) async throws {
    let now = TimeSource.system.now
    var events: [Booking.Event] = []
    if before == 0 {
      let rows = (self.events / 2 + self.events / 10) / Self.seatsPerRow + 1
      let schedule = Booking.Schedule(
        showID: Self.show, title: "A large house", startsAt: now + .seconds(86_400), currency: .eur,
        taxRateBasisPoints: 700, holdTTLSeconds: 600,
        sections: [
          .init(
            id: SectionID(unchecked: "floor"), price: 4500,
            rows: (1...rows).map { .init(id: RowID(unchecked: "r\($0)"), seats: Self.seatsPerRow) })
        ])
      events = try Booking.decide(.schedule(schedule), Booking.State(), at: now)
    }
    for number in before + events.count..<last {
      let (index, isHold) = ((number - 1) / 2, number % 2 == 1)
      let hold = HoldID(unchecked: "\(Self.show):hold-\(index)")
      let seat = SeatID(unchecked: "r\(index / Self.seatsPerRow + 1)-\(index % Self.seatsPerRow + 1)")
      events.append(
        isHold
          ? .seatsHeld(
            .init(
              holdID: hold, buyer: BuyerID(unchecked: "buyer-\(index)"), seats: [seat],
              total: Money(4500, .eur),
              heldAt: now, expiresAt: now + .seconds(600)))
          : .holdConfirmed(
            .init(
              holdID: hold, orderID: OrderID(unchecked: "order-\(index)"), seats: [seat], confirmedAt: now)))
    }
    for start in stride(from: 0, to: events.count, by: 1_000) {
      let page = events[start..<min(start + 1_000, events.count)]
      try await store.append(to: stream, expecting: .any, try page.map { try NewEvent($0) })
    }
  }
}
