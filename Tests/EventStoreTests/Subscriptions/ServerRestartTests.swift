import EmbeddedPostgreSQL
import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("A subscriber whose server is started again", .timeLimit(.minutes(3)))
struct ServerRestartTests {
  @Test("it goes on after an immediate stop and a start, with every event once; and hears of what is new")
  func restart() async throws {
    let home = try TemporaryHome()
    let first = try await PostgresCluster.start(home: home.url, log: .silent)
    let pool = try PostgresPool(PostgresConfiguration(first.conninfo), size: 4, logger: .silent)
    try await Migrator(pool).migrate()
    let store = EventStore(pool: pool, logger: .silent)
    try await store.makeEffects()
    let subscription = Subscription("effects", batchSize: 10) { try await $1.takeEffect($0) }
    // So long that only a message wakes it, once it listens again.
    let watcher = LogWatcher(of: store, pollInterval: .seconds(3600))
    let running = Task {
      await withDiscardingTaskGroup { group in
        group.addTask { await watcher.run() }
        group.addTask { await SubscriptionRunner(subscription, of: store).run(waking: watcher) }
      }
    }
    try await store.append(to: stream("a"), expecting: .any, .happened(25))
    try await store.effects(25)

    // When the server crashes and is started again, twice
    var cluster = first
    for round in 1...2 {
      cluster.abandon()
      kill(cluster.processID, SIGQUIT)
      _ = try await eventually("the server is gone", within: patience) {
        (try? await pool.query("select 1", timeout: .seconds(1))) == nil
      } until: {
        $0
      }
      cluster = try await PostgresCluster.start(home: home.url, log: .silent)
      #expect(cluster.conninfo == first.conninfo)
      try await store.append(to: stream("a"), expecting: .any, .happened(10))
      // Then it goes on. Tables and checkpoint may have fallen back a little, both.
      _ = try await eventually("everything took effect", within: patience) {
        try await store.effects()
      } until: {
        $0 == Array(1...Int64(25 + 10 * round))
      }
    }
    running.cancel()
    await running.value
    await pool.close()
    try await cluster.stop()
    home.remove()
  }
}
