import EmbeddedPostgreSQL
import Foundation
import TestSupport
import Testing

@testable import AisleCommand

@Suite("aisle doctor")
struct DoctorTests {
  @Test("a machine that has everything passes every check")
  func healthy() {
    let checks = Doctor(facts: .healthy).checks()
    #expect(checks.filter { $0.status != .ok } == [])
    #expect(checks.map(\.name).contains("PostgreSQL server"))
    #expect(DoctorReport(checks: checks).healthy)
  }

  @Test("the role of an external database is judged by what it could do to the log")
  func databaseRole() async throws {
    func check(_ role: Doctor.Facts.DatabaseRole) throws -> Doctor.Check {
      var facts = Doctor.Facts.healthy
      facts.isDatabaseExternal = true
      facts.databaseRole = role
      return try #require(Doctor(facts: facts).checks().first { $0.name == "Database role" })
    }
    try #expect(check(.connected(name: "shop", mayChangeLog: false, tenants: 1)).status == .ok)
    try #expect(check(.connected(name: "shop", mayChangeLog: true, tenants: 0)).status == .warning)
    try #expect(check(.connected(name: "shop", mayChangeLog: false, tenants: 0)).status == .failed)
    try #expect(check(.notMigrated(name: "shop")).remedy?.contains("aisle migrate") == true)
    try #expect(check(.unreachable(reason: "no route")).status == .failed)
  }

  @Test("the role is looked up in the database itself")
  func gatheredRole() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      let home = URL(filePath: "/nonexistent")
      let owner = await Doctor.Facts.gather(home: home, databaseURL: conninfo).databaseRole
      guard case .connected("aisle", mayChangeLog: true, 0) = owner else {
        Issue.record("the owner is taken for \(String(describing: owner))")
        return
      }
      let services = await Doctor.Facts.gather(
        home: home, databaseURL: servicesConfiguration(conninfo).connectionString
      ).databaseRole
      guard case .connected("aisle_services", mayChangeLog: false, 1) = services else {
        Issue.record("the services' role is taken for \(String(describing: services))")
        return
      }
    }
  }

  struct Ailment: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let check: String
    let status: Doctor.Status
    let remedy: String
    let change: @Sendable (inout Doctor.Facts) -> Void
  }

  static let ailments: [Ailment] = [
    Ailment(
      testDescription: "no server programs", check: "PostgreSQL server", status: .failed,
      remedy: "apt-get install postgresql"
    ) { $0.installations = [] },
    Ailment(
      testDescription: "an old server", check: "PostgreSQL server", status: .failed,
      remedy: "apt-get install postgresql"
    ) { $0.installations = [PostgresInstallation(directory: "/old/bin", version: 13)] },
    Ailment(
      testDescription: "root without an unprivileged user", check: "Server's user", status: .failed,
      remedy: "useradd"
    ) {
      $0.isRoot = true
      $0.hasUnprivilegedUser = false
    },
    Ailment(
      testDescription: "a home that cannot be used", check: "Home directory", status: .failed,
      remedy: "AISLE_HOME"
    ) { $0.homeProblem = .homeUnusable(path: "/srv/.aisle", reason: "it is read-only") },
    Ailment(
      testDescription: "a disk that is nearly full", check: "Disk space", status: .warning,
      remedy: "AISLE_HOME"
    ) { $0.freeBytes = 2 << 30 - 1 },
    Ailment(
      testDescription: "a full disk", check: "Disk space", status: .failed, remedy: "AISLE_HOME"
    ) { $0.freeBytes = 100 << 20 },
    Ailment(
      testDescription: "data of a version that is not installed", check: "Embedded cluster",
      status: .failed, remedy: "apt-get install postgresql-14"
    ) { $0.cluster = .stub(.stopped, dataVersion: 14) },
    Ailment(
      testDescription: "a foreign data directory", check: "Embedded cluster", status: .failed,
      remedy: "move"
    ) { $0.cluster = .stub(.unusable(reason: "not a data directory")) },
    Ailment(
      testDescription: "a cluster that is neither up nor down", check: "Embedded cluster",
      status: .warning, remedy: "wait"
    ) { $0.cluster = .stub(.changing) },
    Ailment(
      testDescription: "an old libpq", check: "libpq", status: .failed, remedy: "libpq5"
    ) { $0.libpqVersion = 130_022 },
    Ailment(
      testDescription: "a clock that was never set", check: "Clock", status: .failed, remedy: "set the clock"
    ) { $0.now = 3600 },
    Ailment(
      testDescription: "a clock behind the data", check: "Clock", status: .warning, remedy: "set the clock"
    ) { $0.lastWritten = $0.now + 61 },
    Ailment(
      testDescription: "few open files", check: "Open files", status: .warning, remedy: "ulimit"
    ) { $0.openFileLimit = 1023 },
  ]

  @Test("what is wrong is found by its own check alone, with a way to mend it", arguments: ailments)
  func ailment(_ ailment: Ailment) throws {
    var facts = Doctor.Facts.healthy
    ailment.change(&facts)
    let checks = Doctor(facts: facts).checks()
    let complaints = checks.filter { $0.status != .ok }
    #expect(complaints.map(\.name) == [ailment.check])
    let complaint = try #require(complaints.first)
    #expect(complaint.status == ailment.status)
    #expect(try #require(complaint.remedy).contains(ailment.remedy))
    #expect(DoctorReport(checks: checks).healthy == (ailment.status != .failed))
  }

  @Test("with an external database, what only the embedded one needs is not looked at")
  func external() {
    var facts = Doctor.Facts.healthy
    facts.isDatabaseExternal = true
    facts.installations = []
    facts.homeProblem = .homeUnusable(path: "/srv/.aisle", reason: "it is read-only")
    let checks = Doctor(facts: facts).checks()
    #expect(checks.map(\.name) == ["Database role", "libpq", "Clock", "Open files"])
    #expect(DoctorReport(checks: checks).healthy)
  }

  @Test("the report has a line for people and an object for programs about every check")
  func report() throws {
    var facts = Doctor.Facts.healthy
    facts.installations = []
    let report = DoctorReport(checks: Doctor(facts: facts).checks())
    #expect(report.table.contains("FAILED   PostgreSQL server"))
    #expect(report.table.contains("→ apt-get install postgresql"))
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
    #expect(object["healthy"] as? Bool == false)
    let checks = try #require(object["checks"] as? [[String: Any]])
    #expect(checks.count == report.checks.count)
    #expect(checks.first?["status"] as? String == "failed")
  }

  @Test("this machine is examined without anything being made on it")
  func thisMachine() async throws {
    try await withTemporaryHome { directory in
      let home = directory.appending(path: "not/yet/there")
      let facts = await Doctor.Facts.gather(home: home, databaseURL: nil)
      #expect(facts.homeProblem == nil)
      #expect(facts.cluster.state == .absent)
      let free = try #require(facts.freeBytes)
      #expect(free > 0)
      #expect(facts.libpqVersion >= 140_000)
      let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
      #expect(names == ["process.lock"])
    }
  }
}

extension Doctor.Facts {
  fileprivate static let healthy = Doctor.Facts(
    isDatabaseExternal: false,
    installations: [PostgresInstallation(directory: "/usr/lib/postgresql/15/bin", version: 15)],
    searched: ["/usr/lib/postgresql/15/bin"], isRoot: false, hasUnprivilegedUser: true,
    home: "/srv/.aisle", homeProblem: nil, freeBytes: 50 << 30, cluster: .stub(.absent),
    libpqVersion: 150_018, now: 1_795_000_000, lastWritten: 1_794_999_000, openFileLimit: 65_536)
}

extension ClusterStatus {
  fileprivate static func stub(_ state: State, dataVersion: Int? = nil) -> ClusterStatus {
    ClusterStatus(
      state: state, dataVersion: dataVersion, dataDirectory: "/srv/.aisle/postgres",
      logFile: "/srv/.aisle/postgres.log")
  }
}
