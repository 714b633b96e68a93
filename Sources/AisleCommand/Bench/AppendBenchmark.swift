import EventStore
import Foundation
import PostgreSQL

/// Durable appends beside `pgbench` inserting single rows without any ordering, beside `COPY` of the same rows into a
/// table of the same shape, and beside other event stores; all on one server in one run.
struct AppendBenchmark: Sendable {
  struct Row: Sendable, Codable {
    let streams: AppendLoad.Streams
    let inFlight: Int
    let eventsPerAppend: Int
    let load: AppendLoad.Result
    var eventsPerSecond: Double { load.appendsPerSecond * Double(eventsPerAppend) }
  }

  /// Of those who write one event at a time, with as many clients as connections are sensible.
  struct Yardstick: Sendable, Codable {
    let clients: Int
    let inserts: Double
    /// By name of the store.
    let peers: [String: Double]
  }

  struct Result: Sendable, Codable {
    let rows: [Row]
    let yardsticks: [Yardstick]
    let copyRowsPerSecond: Double
    let payloadBytes: Int

    func yardstick(inFlight: Int) -> Yardstick? {
      yardsticks.first { $0.clients == min(inFlight, AppendBenchmark.mostClients) }
    }
  }

  static let mostClients = 64

  let conninfo: String
  let pgbench: String
  let psql: String
  let seconds: Int
  let inFlight: [Int]
  let streams: [AppendLoad.Streams]
  let batches: [Int]
  let peers: [PeerStore]

  func run(progress: @Sendable (String) -> Void) async throws -> Result {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    let store = EventStore(pool: pool)
    let table = YardstickTable(conninfo: conninfo, psql: psql)
    try await table.create(on: pool)
    for peer in peers { try await peer.install(on: conninfo, psql: psql) }
    var rows: [Row] = []
    var yardsticks: [Yardstick] = []
    // Connections, plans and files are warm before anything counts.
    _ = try await AppendLoad(streams: .unique, inFlight: 16, seconds: 1).run(on: store)
    for count in inFlight {
      let clients = min(count, Self.mostClients)
      if !yardsticks.contains(where: { $0.clients == clients }) {
        yardsticks.append(try await measureYardstick(clients, table, progress))
      }
      for kind in streams {
        progress("append, \(count) in flight, \(kind.rawValue) streams")
        let load = AppendLoad(streams: kind, inFlight: count, seconds: seconds)
        rows.append(
          Row(streams: kind, inFlight: count, eventsPerAppend: 1, load: try await load.run(on: store)))
      }
    }
    for events in batches {
      progress("append of \(events) events, 16 in flight")
      let load = AppendLoad(streams: .unique, inFlight: 16, eventsPerAppend: events, seconds: seconds)
      rows.append(
        Row(streams: .unique, inFlight: 16, eventsPerAppend: events, load: try await load.run(on: store)))
    }
    progress("COPY")
    let copied = try await table.copyRate(rows: 200_000, on: pool)
    try await table.drop(on: pool)
    for peer in peers { try await peer.remove(from: conninfo, psql: psql) }
    await pool.close()
    return Result(
      rows: rows, yardsticks: yardsticks, copyRowsPerSecond: copied,
      payloadBytes: AppendLoad.payload.utf8.count)
  }

  private func measureYardstick(
    _ clients: Int, _ table: YardstickTable, _ progress: @Sendable (String) -> Void
  ) async throws -> Yardstick {
    progress("pgbench inserts, \(clients) clients")
    let inserts = try await Pgbench(program: pgbench, conninfo: conninfo).run(
      table.insertScript, clients: clients, seconds: seconds)
    var rates: [String: Double] = [:]
    for peer in peers {
      progress("\(peer.name), \(clients) clients")
      rates[peer.name] = try await peer.appendRate(
        clients: clients, seconds: seconds, conninfo: conninfo, pgbench: pgbench)
    }
    return Yardstick(clients: clients, inserts: inserts, peers: rates)
  }
}
