import Booking
import EventStore
import Foundation
import PostgreSQL
import Scenarios
import Services
import Subprocess
import SystemPackage
import Vocabulary

/// Confirmed bookings a second, each from the request for a seat to the confirmed order, beside other ways to keep seats
/// from being sold twice. Buyers are in processes of their own; so are the servers that REST is measured on.
struct BookingBenchmark: Sendable {
  struct Row: Sendable, Codable {
    let method: BookingLoad.Method
    let shows: Int
    let processes: Int
    let contenders: Int
    let bookingsPerSecond: Double
    let p50Microseconds: Int
    let p99Microseconds: Int
    let refusedWhileFree: Int
    /// Appends to shows' streams and conflicts of them, for each booking.
    let appendsPerBooking: Double?
    let conflictsPerBooking: Double?
    let errors: [String: Int]
  }

  struct Settings: Sendable {
    var methods: [BookingLoad.Method]
    var contenders: [Int]
    var shows: [Int]
    var processes: [Int]
    var seconds: Double
  }

  /// Enough for the time of a measurement, whatever the number of shows.
  private var seats: Int {
    min(8_000 * max(Int(settings.seconds.rounded(.up)), 5), Booking.maximumSeatsPerShow)
  }

  let conninfo: String
  let executable: String
  let settings: Settings

  func run(progress: @Sendable (String) -> Void) async throws -> [Row] {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    let aisle = Aisle(pool: pool)
    var rows: [Row] = []
    for processes in settings.processes {
      for method in settings.methods {
        // Two processes of a method without events are two halves of one.
        if processes > 1, method == .rowLock || method == .skipLocked { continue }
        try await withServers(method == .rest ? processes : 0) { urls in
          for shows in settings.shows {
            for contenders in settings.contenders where contenders >= processes {
              progress("\(method.rawValue), \(processes) processes, \(shows) shows, \(contenders) buyers")
              let names = (0..<shows).map { _ in
                ShowID(unchecked: "bench-\(UUID().uuidString.lowercased().prefix(12))")
              }
              try await BookingLoad.open(
                names, seats: shows == 1 ? seats : seats / 20, for: method, with: aisle)
              if method == .rest { try await settle(aisle.store) }
              let result = try await load(
                method, names, contenders, processes: method == .rest ? 1 : processes, urls)
              rows.append(row(method, shows, processes, contenders, result))
            }
          }
        }
      }
    }
    try await pool.withConnection { try await $0.executeScript("drop schema if exists aisle_bench cascade") }
    await pool.close()
    return rows
  }

  /// What the measurement before has left to be derived is not this one's work.
  private func settle(_ store: EventStore) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await store.subscriptions().contains(where: { $0.lag > 0 }) {
      guard ContinuousClock.now < deadline else {
        throw CommandFailure("the servers' subscriptions are not at the end of the log after five minutes")
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private func row(
    _ method: BookingLoad.Method, _ shows: Int, _ processes: Int, _ contenders: Int,
    _ result: BookingLoad.Result
  ) -> Row {
    func each(_ count: Int?) -> Double? { count.map { Double($0) / Double(max(result.confirmed, 1)) } }
    return Row(
      method: method, shows: shows, processes: processes, contenders: contenders,
      bookingsPerSecond: Double(result.confirmed) / max(result.seconds, 0.001),
      p50Microseconds: result.percentile(0.5), p99Microseconds: result.percentile(0.99),
      refusedWhileFree: result.refusedWhileFree, appendsPerBooking: each(result.appends),
      conflictsPerBooking: each(result.conflicts), errors: result.errors)
  }

  /// The buyers, shared by so many processes.
  private func load(
    _ method: BookingLoad.Method, _ shows: [ShowID], _ contenders: Int, processes: Int, _ urls: [String]
  ) async throws -> BookingLoad.Result {
    try await withThrowingTaskGroup(of: BookingLoad.Result.self) { group in
      for number in 0..<processes {
        let share = contenders / processes + (number < contenders % processes ? 1 : 0)
        let load = BookingLoad(
          method: method, shows: shows, contenders: share, seconds: settings.seconds, urls: urls)
        let text = String(decoding: try JSONEncoder().encode(load), as: UTF8.self)
        group.addTask {
          let output = try await Subprocess.run(
            .path(FilePath(executable)), arguments: ["bench", "booking-load", text],
            environment: .inherit.updating(["AISLE_DATABASE_URL": conninfo]), input: .none,
            output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
          guard output.terminationStatus.isSuccess else {
            throw CommandFailure("a process of buyers failed: \(output.standardError)")
          }
          return try JSONDecoder().decode(BookingLoad.Result.self, from: Data(output.standardOutput.utf8))
        }
      }
      return try await group.reduce(into: BookingLoad.Result()) { $0.add($1) }
    }
  }

  /// Runs `body` while so many servers answer.
  private func withServers(_ count: Int, _ body: ([String]) async throws -> Void) async throws {
    guard count > 0 else { return try await body([]) }
    let ports = try (0..<count).map { _ in try FreePort.find() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for port in ports {
        group.addTask {
          let result = try await Subprocess.run(
            .path(FilePath(executable)), arguments: ["serve", "--port", "\(port)"],
            environment: .inherit.updating(["AISLE_DATABASE_URL": conninfo]),
            platformOptions: Self.gentle, input: .none, output: .discarded, error: .discarded)
          guard Task.isCancelled else {
            throw CommandFailure(
              "a server ended by itself (\(result.terminationStatus)); to see why, run: aisle serve")
          }
        }
      }
      let urls = ports.map { "http://127.0.0.1:\($0)" }
      for url in urls { try await BookingLoad.waitUntilReady(url) }
      try await body(urls)
      group.cancelAll()
    }
  }

  /// Servers are asked to end before they are made to.
  private static var gentle: PlatformOptions {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
    return options
  }
}

/// A port that nobody listens on.
enum FreePort {
  static func find() throws -> Int {
    let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard handle >= 0 else {
      throw CommandFailure("no socket can be made: \(String(cString: strerror(errno)))")
    }
    defer { close(handle) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(handle, generic, length) == 0 && getsockname(handle, generic, &length) == 0
      }
    }
    guard found else { throw CommandFailure("no port is free: \(String(cString: strerror(errno)))") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
