import PostgreSQL
import TestSupport
import Testing

@Suite("LISTEN and NOTIFY", .timeLimit(.minutes(1)))
struct NotificationTests {
  @Test("messages arrive in order, also those that came while a statement ran")
  func delivery() async throws {
    try await withTestDatabase { conninfo in
      try await withConnections(2, to: conninfo) { connections in
        let (listener, speaker) = (connections[0], connections[1])
        let channel = "odd \"name\" Ω"
        try await listener.listen(to: channel)
        for number in 1...3 { try await speaker.query("select pg_notify(\(channel), \("früh \(number)"))") }
        try await #expect(listener.one("select 1") == 1)
        for number in 4...6 { try await speaker.query("select pg_notify(\(channel), \("früh \(number)"))") }
        for number in 1...6 {
          let message = try await listener.nextNotification(within: .seconds(30))
          #expect(message?.channel == channel)
          #expect(message?.payload == "früh \(number)")
        }
        try await #expect(listener.nextNotification(within: .milliseconds(10)) == nil)
      }
    }
  }

  @Test("a message wakes a listener that waits already")
  func waking() async throws {
    try await withTestDatabase { conninfo in
      try await withConnections(2, to: conninfo) { connections in
        try await connections[0].listen(to: "news")
        async let message = connections[0].nextNotification(within: .seconds(600))
        try await connections[1].query("select pg_notify('news', 'now')")
        try await #expect(message?.payload == "now")
      }
    }
  }

  @Test("a listener whose connection is gone is told, whether it waits at that time or comes later")
  func terminated() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let listener = connections[0]
          try await listener.listen(to: "news")
          let backend = try await listener.backend()
          let waiting = Task { try await listener.nextNotification(within: .seconds(600)) }
          try await observer.terminate([backend])
          let error = await #expect(throws: PostgresError.self) { try await waiting.value }
          #expect(error?.isConnectionLost == true)
          await #expect(throws: PostgresError.self) {
            try await listener.nextNotification(within: .seconds(600))
          }
        }
      }
    }
  }
}
