import Foundation
import PostgreSQL

/// The driver beside `pgbench -M prepared`: the same statement, the same number of connections, taking turns.
struct DriverBenchmark: Sendable {
  struct Row: Sendable, Codable {
    let statement: String
    let connections: Int
    let pgbench: Double
    let aisle: Double
    var ratio: Double { aisle / pgbench }
  }

  let conninfo: String
  let pgbench: Pgbench
  let seconds: Int
  let rounds: Int

  func run(progress: @Sendable (String) -> Void) async throws -> [Row] {
    let setup = try PostgresPool(PostgresConfiguration(conninfo), size: 1)
    try await setup.withConnection { connection in
      try await connection.executeScript(
        """
        create schema if not exists aisle_bench;
        drop table if exists aisle_bench.item;
        create table aisle_bench.item (id bigint primary key, filler text not null, n bigint not null default 0);
        insert into aisle_bench.item select i, repeat('x', 100) from generate_series(1, 100000) i;
        drop table if exists aisle_bench.entry;
        create table aisle_bench.entry (
          id bigint generated always as identity primary key, filler text not null);
        analyze aisle_bench.item;
        """)
    }
    var rows: [Row] = []
    for connections in [1, 4, 16] {
      rows.append(
        try await compare(
          "select by key", connections, progress,
          script: "\\set id random(1, 100000)\nselect filler, n from aisle_bench.item where id = :id;\n"
        ) { connection in
          let id = Int64.random(in: 1...100_000)
          let rows = try await connection.query(
            "select filler, n from aisle_bench.item where id = \(id)")
          guard try rows.first?.column(1, as: Int64.self) == 0 else {
            throw PostgresError(.decoding, "the benchmark's row is missing")
          }
        })
      rows.append(
        try await compare(
          "durable insert", connections, progress,
          script: "insert into aisle_bench.entry (filler) values (repeat('x', 100));\n"
        ) { connection in
          try await connection.query("insert into aisle_bench.entry (filler) values (repeat('x', 100))")
        })
    }
    try await setup.withConnection { try await $0.executeScript("drop schema aisle_bench cascade") }
    await setup.close()
    return rows
  }

  private func compare(
    _ name: String, _ connections: Int, _ progress: @Sendable (String) -> Void, script: String,
    _ statement: @escaping @Sendable (PostgresConnection) async throws -> Void
  ) async throws -> Row {
    var theirs: [Double] = []
    var ours: [Double] = []
    for round in 1...rounds {
      progress("\(name), \(connections) connections, round \(round) of \(rounds)")
      theirs.append(try await pgbench.run(script, clients: connections, seconds: seconds))
      ours.append(try await rate(connections, statement))
    }
    return Row(
      statement: name, connections: connections, pgbench: theirs.median, aisle: ours.median)
  }

  /// Statements a second with one connection for each of `count` workers.
  private func rate(
    _ count: Int, _ statement: @escaping @Sendable (PostgresConnection) async throws -> Void
  ) async throws -> Double {
    let thread = try PollThread()
    defer { thread.stop() }
    var connections: [PostgresConnection] = []
    for _ in 0..<count {
      connections.append(try await PostgresConnection.connect(PostgresConfiguration(conninfo), on: thread))
    }
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    // The workers prefer the connections' own thread, as the append sequencer does.
    let done = try await withThrowingTaskGroup(of: Int.self) { group in
      for connection in connections {
        group.addTask(executorPreference: thread) {
          var done = 0
          while ContinuousClock.now < end {
            try await statement(connection)
            done += 1
          }
          return done
        }
      }
      return try await group.reduce(0, +)
    }
    let elapsed = start.duration(to: .now)
    for connection in connections { await connection.close() }
    return Double(done) / elapsed.secondsAsDouble
  }
}

extension [Double] {
  var median: Double {
    let sorted = sorted()
    return isEmpty ? 0 : sorted[count / 2]
  }
}

extension Duration {
  var secondsAsDouble: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
