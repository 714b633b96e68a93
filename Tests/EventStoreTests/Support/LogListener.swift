import EventStore
import PostgreSQL

/// A connection that hears what the log says to subscribers.
struct LogListener {
  private let connection: PostgresConnection

  init(to store: EventStore) async throws {
    connection = try await PostgresConnection.connect(store.pool.configuration, on: store.pool.thread)
    try await connection.listen(to: "aisle_log")
  }

  func next() async throws -> String? { try await connection.nextNotification(within: .seconds(30))?.payload }
  func close() async { await connection.close() }
}
