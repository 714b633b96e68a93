import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite("aisle up and aisle serve")
struct ServerCommandTests {
  /// Starts `aisle up` on a port that is free now, and ends it with `signal` when `body` is through. What it says goes
  /// to the file `log`.
  private func withServer(
    home: URL, endingWith signal: Subprocess.Signal, log: URL = URL(filePath: "/dev/null"),
    _ body: @escaping @Sendable (URL) async throws -> Void
  ) async throws -> TerminationStatus {
    let port = try freePort()
    let program = AisleProgram(home: home)
    let errors = try FileDescriptor.open(
      FilePath(log.path), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    let result = try await Subprocess.run(
      .path(try AisleProgram.path()), arguments: ["up", "--port", "\(port)"], environment: program.variables,
      input: .none, output: .discarded, error: .fileDescriptor(errors, closeAfterSpawningProcess: true)
    ) { execution in
      do {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
        _ = try await eventually("aisle up is ready", within: .seconds(60)) {
          await status(url.appending(path: "actuator/health/readiness"))
        } until: {
          $0 == 200
        }
        try await body(url)
      } catch {
        try? execution.send(signal: .kill)
        throw error
      }
      try execution.send(signal: signal)
    }
    return result.terminationStatus
  }

  private func status(_ url: URL) async -> Int {
    guard let (_, response) = try? await URLSession.shared.data(from: url) else { return 0 }
    return (response as? HTTPURLResponse)?.statusCode ?? 0
  }

  private func isRunning(_ home: URL) -> Bool {
    FileManager.default.fileExists(atPath: home.appending(path: "postgres/postmaster.pid").path)
  }

  @Test(
    "SIGTERM and SIGINT end the server and its embedded PostgreSQL",
    arguments: [Signal.terminate, .interrupt])
  func ends(with signal: Subprocess.Signal) async throws {
    let home = try TemporaryHome()
    let ending = try await withServer(home: home.url, endingWith: signal) { _ in
      #expect(isRunning(home.url))
    }
    #expect(ending.isSuccess)
    #expect(!isRunning(home.url))
    home.remove()
  }

  @Test(
    "after SIGKILL the next command takes the running PostgreSQL over, with everything acknowledged, and stops it"
  )
  func takenOver() async throws {
    let home = try TemporaryHome()
    _ = try await withServer(home: home.url, endingWith: .kill) { url in
      var request = URLRequest(url: url.appending(path: "v1/shows"))
      request.httpMethod = "POST"
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
      request.setValue("take-over", forHTTPHeaderField: "Idempotency-Key")
      request.httpBody = Data(
        """
        {"show_id": "hamlet", "title": "Hamlet", "starts_at": "2027-01-01T20:00:00Z", "currency": "EUR",
         "tax_rate_bp": 700, "hold_ttl_seconds": 600,
         "sections": [{"id": "stalls", "price": 4500, "rows": [{"id": "A", "seats": 10}]}]}
        """.utf8)
      let (body, response) = try await URLSession.shared.data(for: request)
      #expect((response as? HTTPURLResponse)?.statusCode == 201, "\(String(decoding: body, as: UTF8.self))")
    }
    #expect(isRunning(home.url))
    let events = try await AisleProgram(home: home.url).run("events", "read", "show-hamlet")
    #expect(events.status == 0)
    #expect(events.output.contains("show-scheduled"))
    #expect(!isRunning(home.url))
    home.remove()
  }

  @Test("two commands share one embedded PostgreSQL, and the last one stops it")
  func shared() async throws {
    let home = try TemporaryHome()
    _ = try await withServer(home: home.url, endingWith: .terminate) { _ in
      let list = try await AisleProgram(home: home.url).run("projections", "list")
      #expect(list.status == 0)
      #expect(isRunning(home.url))
    }
    #expect(!isRunning(home.url))
    home.remove()
  }

  @Test("a port that somebody else listens on is a clear error, and ends the embedded PostgreSQL")
  func portInUse() async throws {
    let home = try TemporaryHome()
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    let port = try bindToFreePort(descriptor)
    #expect(listen(descriptor, 1) == 0)

    let result = try await AisleProgram(home: home.url).run("up", "--port", "\(port)")

    #expect(result.status == 1)
    #expect(result.errors.contains("127.0.0.1:\(port) cannot be listened on: Address already in use"))
    #expect(!isRunning(home.url))
    home.remove()
  }

  @Test("every log record is a line of JSON, and a request's record names the correlation id of its events")
  func logs() async throws {
    let home = try TemporaryHome()
    let id = UUID().uuidString.lowercased()
    let log = home.url.appending(path: "log")
    _ = try await withServer(home: home.url, endingWith: .terminate, log: log) { url in
      var request = URLRequest(url: url.appending(path: "v1/accounts"))
      request.httpMethod = "POST"
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
      request.setValue("an-account", forHTTPHeaderField: "Idempotency-Key")
      request.setValue(id, forHTTPHeaderField: "X-Request-ID")
      request.httpBody = Data(#"{"account_id": "acc-7", "name": "Ada", "time_zone": "Europe/Berlin"}"#.utf8)
      let (_, response) = try await URLSession.shared.data(for: request)
      #expect((response as? HTTPURLResponse)?.statusCode == 201)
    }
    let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
    let records = try lines.map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
    #expect(records.allSatisfy { $0["time"] is String && $0["level"] is String && $0["message"] is String })
    let request = try #require(records.first { $0["path"] as? String == "/v1/accounts" })
    #expect(request["correlation_id"] as? String == id)
    #expect(request["status"] as? String == "201")
    let events = try await AisleProgram(home: home.url).run("events", "read", "account-acc-7", "--json")
    #expect(events.output.contains("\"correlation_id\":\"\(id)\""))
    home.remove()
  }

  @Test("serve needs an external database, and roles that exist")
  func misuse() async throws {
    let withoutDatabase = try await AisleProgram().run("serve")
    #expect(withoutDatabase.status == 1)
    #expect(withoutDatabase.errors.contains("AISLE_DATABASE_URL"))
    let wrongRole = try await AisleProgram().run("serve", "--roles", "api,cook")
    #expect(wrongRole.status == 64)
    #expect(wrongRole.errors.contains("cook"))
  }

  @Test("a database that cannot be reached is a clear error")
  func unreachable() async throws {
    let result = try await AisleProgram(database: "host=/nonexistent dbname=aisle").run("events", "read")
    #expect(result.status == 1)
    #expect(result.errors.contains("could not connect to the database"))
  }

  @Test("a server that may lose committed bookings (fsync off) is refused")
  func durability() async throws {
    let server = try await CarelessServer.start()
    do {
      let aisle = AisleProgram(database: server.conninfo)
      #expect(try await aisle.run("migrate").status == 0)
      let result = try await aisle.run("events", "read")
      #expect(result.status == 1)
      #expect(result.errors.contains("fsync=off"))
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }
}
