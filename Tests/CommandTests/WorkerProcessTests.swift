import Booking
import EventStore
import Foundation
import Logging
import PostgreSQL
import Services
import Subprocess
import SystemPackage
import TestSupport
import Testing
import Vocabulary

/// Real processes of `aisle serve` on one database.
@Suite("Processes that share the subscriptions", .timeLimit(.minutes(5)))
struct WorkerProcessTests {
  private static let longEnough = Duration.seconds(90)

  /// A process of `aisle serve` without the REST interface.
  private struct Server: Sendable {
    let processID: pid_t
    let log: URL

    func send(_ signal: Int32) { kill(processID, signal) }
    func says(_ text: String) -> Bool {
      (try? String(contentsOf: log, encoding: .utf8))?.contains(text) == true
    }
  }

  private func withServers(
    _ count: Int, on conninfo: String, in folder: URL, before: [Server] = [],
    _ body: @escaping @Sendable ([Server]) async throws -> Void
  ) async throws {
    guard before.count < count else { return try await body(before) }
    let log = folder.appending(path: "server-\(before.count)-\(UUID().uuidString).log")
    let errors = try FileDescriptor.open(
      FilePath(log.path), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    let program = AisleProgram(environment: ["AISLE_DATABASE_URL": conninfo, "AISLE_POOL_SIZE": "6"])
    _ = try await Subprocess.run(
      .path(try AisleProgram.path()), arguments: ["serve", "--roles", "booking,ordering,billing"],
      environment: program.variables, input: .none, output: .discarded,
      error: .fileDescriptor(errors, closeAfterSpawningProcess: true)
    ) { execution in
      let server = Server(processID: execution.processIdentifier.value, log: log)
      do {
        try await withServers(count, on: conninfo, in: folder, before: before + [server], body)
      } catch {
        server.send(SIGKILL)
        throw error
      }
      // A stopped process would not hear anything else.
      server.send(SIGKILL)
    }
  }

  private struct Owner: Sendable, Equatable {
    let name: String
    let process: pid_t
    let epoch: Int64
  }

  /// Which live process has which subscription.
  private func owners(_ pool: PostgresPool) async throws -> [Owner] {
    try await pool.query(
      """
      select c.subscription, split_part(w.description, ':', -1)::integer, c.epoch
      from aisle.checkpoints c
      join aisle.workers w on w.tenant = c.tenant and w.worker = c.owner
      where c.partitions > 0 and c.lease_expires_at > clock_timestamp()
      order by 1
      """
    ).map { row in
      let (name, process, epoch) = try row.decode(String.self, Int32.self, Int64.self)
      return Owner(name: name, process: process, epoch: epoch)
    }
  }

  private func now(_ pool: PostgresPool) async throws -> Int64 {
    try #require(
      try await pool.query("select (extract(epoch from clock_timestamp()) * 1000)::bigint").first
    ).decode(Int64.self)
  }

  private func putOnSale(_ ids: Range<Int>, _ aisle: Aisle) async throws {
    for id in ids {
      try await aisle.booking.schedule(
        Booking.Schedule(
          showID: ShowID(unchecked: "s\(id)"), title: "Show \(id)",
          startsAt: TimeSource.system.now + .seconds(86_400),
          currency: .eur, taxRateBasisPoints: 700, holdTTLSeconds: 600,
          sections: [
            .init(
              id: SectionID(unchecked: "stalls"), price: 4500,
              rows: [.init(id: RowID(unchecked: "A"), seats: 4)])
          ]))
    }
  }

  @Test(
    "two share evenly; when the owner is killed or stopped the other goes on after the lease, and what comes back late changes nothing",
    arguments: [SIGKILL, SIGSTOP])
  func failover(signal: Int32) async throws {
    let home = try TemporaryHome()
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo, size: 6) { pool in
        let aisle = Aisle(pool: pool, logger: .silent)
        try await withServers(2, on: conninfo, in: home.url) { servers in
          let shared = try await eventually("both run three subscriptions", within: Self.longEnough) {
            try await owners(pool)
          } until: { owners in
            owners.count == 6
              && servers.allSatisfy { server in owners.count { $0.process == server.processID } == 3 }
          }
          try await putOnSale(0..<20, aisle)
          try await aisle.store.wait(for: "shows", toReach: Position(20), timeout: Self.longEnough)

          // When the owner of shows is struck while it works
          let before = try #require(shared.first { $0.name == "shows" })
          let struck = try #require(servers.first { $0.processID == before.process })
          let other = try #require(servers.first { $0.processID != before.process })
          async let more: Void = putOnSale(20..<40, aisle)
          let struckAt = try await now(pool)
          struck.send(signal)
          let expiry = try await pool.query(
            "select (extract(epoch from max(lease_expires_at)) * 1000)::bigint from aisle.checkpoints where subscription = 'shows'"
          ).first?.decode(Int64.self)
          try await more
          let after = try await eventually("the other has everything", within: Self.longEnough) {
            try await owners(pool)
          } until: { owners in
            owners.count == 6 && owners.allSatisfy { $0.process == other.processID }
          }
          let takenAt = try await now(pool)
          try await aisle.store.wait(for: "shows", toReach: Position(40), timeout: Self.longEnough)
          #expect(takenAt >= (expiry ?? .max), "not before the lease was over")
          #expect(after.first { $0.name == "shows" }?.epoch == before.epoch + 1)
          print("fail-over after signal \(signal): \(takenAt - struckAt) ms")

          // And when it goes on
          if signal == SIGSTOP {
            struck.send(SIGCONT)
            _ = try await eventually("it notices", within: Self.longEnough) {
              struck.says("fenced")
            } until: {
              $0
            }
            _ = try await eventually("they share again", within: Self.longEnough) {
              try await owners(pool)
            } until: { owners in
              servers.allSatisfy { server in owners.count { $0.process == server.processID } == 3 }
            }
          }
          try await putOnSale(40..<50, aisle)
          try await aisle.store.wait(for: "shows", toReach: Position(50), timeout: Self.longEnough)
          let status = try #require(try await aisle.store.subscriptions().first { $0.name == "shows" })
          #expect(status.events == 50 && status.lastError == nil && status.isOwned)
          let shows = try await aisle.readModels.shows(after: .start, limit: 100)
          #expect(shows.map(\.position.rawValue) == Array(1...50))
        }
      }
    }
    home.remove()
  }

  @Test(
    "a process that is told to end gives everything back at once, and another one that starts takes its share"
  )
  func joinAndLeave() async throws {
    let home = try TemporaryHome()
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo, size: 4) { pool in
        try await withServers(1, on: conninfo, in: home.url) { first in
          _ = try await eventually("the first runs all", within: Self.longEnough) {
            try await owners(pool)
          } until: {
            $0.count == 6
          }
          try await withServers(1, on: conninfo, in: home.url) { second in
            _ = try await eventually("they share", within: Self.longEnough) {
              try await owners(pool)
            } until: { owners in
              [first[0], second[0]].allSatisfy { server in
                owners.count { $0.process == server.processID } == 3
              }
            }
            second[0].send(SIGTERM)
            _ = try await eventually("it has said good-bye", within: Self.longEnough) {
              try await pool.query("select count(*) from aisle.workers").first?.decode(Int.self)
            } until: {
              $0 == 1
            }
            _ = try await eventually("the first runs all again", within: Self.longEnough) {
              try await owners(pool)
            } until: { owners in
              owners.count == 6 && owners.allSatisfy { $0.process == first[0].processID }
            }
          }
        }
      }
    }
    home.remove()
  }
}
