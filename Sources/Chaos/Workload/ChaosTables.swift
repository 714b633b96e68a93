import EventStore
import Foundation
import PostgreSQL

/// The projection that the harness looks at, and the reading of logs and samples for the checker.
public struct ChaosTables: Sendable {
  public static let projection = "chaos-balances"
  public static let relay = "chaos-relay"

  /// Makes the projection's table, in a database that belongs to the run.
  public static func make(on pool: PostgresPool) async throws {
    try await pool.execute(
      """
      create table public.chaos_balances (
        tenant integer not null,
        stream text    not null,
        events bigint  not null,
        sum    bigint  not null,
        chain  bigint  not null,
        primary key (tenant, stream)
      )
      """)
  }

  /// Adds events to their streams' balances: what the projection's handler does.
  public static func add(
    _ events: [RecordedEvent], tenant: Int32, on connection: PostgresConnection
  ) async throws {
    for event in events {
      let value = try ChaosEvent.value(of: event)
      try await connection.execute(
        """
        insert into public.chaos_balances as b (tenant, stream, events, sum, chain)
        values (\(tenant), \(event.stream.description), 1, \(value), \(value % Balance.modulus))
        on conflict (tenant, stream) do update
        set events = b.events + 1, sum = b.sum + \(value),
            chain = (b.chain * \(Balance.factor) + \(value)) % \(Balance.modulus)
        """)
    }
  }

  /// The checkpoint and the table in one snapshot.
  public static func sample(_ store: EventStore, projection: String = projection) async throws
    -> ProjectionSample
  {
    let tenant = store.tenant.rawValue
    return try await store.pool.transaction { connection in
      try await connection.query("set transaction isolation level repeatable read, read only")
      let checkpoint: Int64 =
        try await connection.query(
          """
          select position from aisle.checkpoints where tenant = \(tenant) and subscription = \(projection)
          """
        ).first?.decode(Int64.self) ?? 0
      let rows = try await connection.query(
        "select stream, events, sum, chain from public.chaos_balances where tenant = \(tenant)")
      let balances = try rows.map { row in
        let (stream, events, sum, chain) = try row.decode(String.self, Int64.self, Int64.self, Int64.self)
        return (stream, Balance(events: events, sum: sum, chain: chain))
      }
      return ProjectionSample(
        projection, checkpoint: checkpoint, Dictionary(balances) { first, _ in first })
    }
  }

  /// The log as it stands, read from its tables without the event store's reading code.
  public static func finalLog(_ pool: PostgresPool, tenant: Int32 = 1) async throws -> [HistoryRecord.Entry] {
    let rows = try await pool.query(
      """
      select e.position, s.name, e.version, e.id, (e.data->>'value')::bigint
      from aisle.events e
      left join aisle.streams s on s.tenant = e.tenant and s.id = e.stream_id
      where e.tenant = \(tenant)
      order by e.position
      """)
    var entries = try rows.map { row in
      let (position, stream, version, id, value) = try row.decode(
        Int64.self, String?.self, Int64.self, UUID.self, Int64?.self)
      return HistoryRecord.Entry.stored(
        LoggedEvent(
          position: position, stream: stream ?? "no stream", version: version, id: id, value: value ?? -1))
    }
    let head: Int64? = try await pool.query("select position from aisle.log_head where tenant = \(tenant)")
      .first?.decode(Int64.self)
    let streams = try await pool.query("select name, version from aisle.streams where tenant = \(tenant)").map
    {
      try $0.decode(String.self, Int64.self)
    }
    entries.append(
      .heads(LogHeads(position: head ?? -1, streams: Dictionary(streams) { first, _ in first })))
    return entries
  }
}

/// The payload of the harness's events.
enum ChaosEvent {
  static let type = "happened"

  static func new(_ event: ProposedEvent) -> NewEvent {
    // Long enough that batches of them fill pages and packets.
    let text = event.isPoison ? "{" : #"{"value": \#(event.value), "note": "\#(note)"}"#
    return NewEvent(id: event.id, type: type, data: Array(text.utf8))
  }

  static func value(of event: RecordedEvent) throws -> Int64 {
    try JSONDecoder().decode(Payload.self, from: Data(event.data)).value
  }

  private struct Payload: Decodable { let value: Int64 }
  private static let note = String(repeating: "seat ", count: 24)
}

extension LoggedEvent {
  public init(_ event: RecordedEvent) throws {
    self.init(
      position: event.position.rawValue, stream: event.stream.description, version: event.version,
      id: event.id,
      value: try ChaosEvent.value(of: event))
  }
}
