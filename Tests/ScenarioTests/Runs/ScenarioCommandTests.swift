import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Scenarios

extension Runs {
  /// The built program, as a user or a script calls it.
  @Suite("from the command line")
  struct Command {
    private struct Answer {
      let status: Int32
      let output: String
      let errors: String
    }

    private func aisle(_ arguments: String...) async throws -> Answer {
      let server = try await TestCluster.shared().conninfo
      let result = try await Subprocess.run(
        .path(FilePath(try ScenarioBench.aisle())), arguments: Arguments(["scenario"] + arguments),
        environment: .inherit.updating(["AISLE_DATABASE_URL": server]), input: .none,
        output: .string(limit: 8 << 20),
        error: .string(limit: 1 << 20))
      guard case .exited(let status) = result.terminationStatus else {
        throw ScenarioRunError("aisle ended with \(result.terminationStatus)")
      }
      return Answer(status: status, output: result.standardOutput, errors: result.standardError)
    }

    private func path(_ name: String) -> String { SampleReports.scenarioDirectory + "/" + name + ".yaml" }

    @Test("exits with 0 if everything holds, prints a JSON report, and writes both reports")
    func good() async throws {
      let directory = FileManager.default.temporaryDirectory.appending(path: "aisle-reports-\(UUID())")
      defer { try? FileManager.default.removeItem(at: directory) }
      let answer = try await aisle("run", path("last-seat"), "--json", "--report", directory.path)
      #expect(answer.status == 0)
      let printed = try RunReport(json: answer.output)
      #expect(printed.verdict.holds)
      #expect(answer.errors.contains("last-seat: 200 of 200, 1 won, 199 refused"))
      let written = try String(contentsOf: directory.appending(path: "last-seat-occ.json"), encoding: .utf8)
      #expect(try RunReport(json: written) == printed)
      let page = try String(contentsOf: directory.appending(path: "last-seat-occ.html"), encoding: .utf8)
      #expect(page.contains("<h1>Two hundred buyers, one seat left"))
    }

    @Test("exits with 1 if one of several files breaks a promise, but runs them all")
    func bad() async throws {
      let answer = try await aisle(
        "run", path("month-end-refund"), path("last-seat"), "--strategy", "read-model-check")
      #expect(answer.status == 1)
      #expect(answer.output.contains("all 14 invariants hold"))
      #expect(answer.output.contains("✗ no-seat-booked-twice"))
      #expect(answer.output.contains("First: no-seat-booked-twice."))
    }

    @Test("starts its workers from itself")
    func workers() async throws {
      let answer = try await aisle("run", path("two-processes"))
      #expect(answer.status == 0, Comment(rawValue: answer.output + answer.errors))
      #expect(answer.output.contains("2 processes"))
    }

    @Test("refuses a strategy that there is not, with the ones that there are")
    func unknownStrategy() async throws {
      let answer = try await aisle("run", path("last-seat"), "--strategy", "luck")
      #expect(answer.status == 64)
      for strategy in Strategy.allCases { #expect(answer.errors.contains(strategy.rawValue)) }
    }

    @Test("runs nothing if a file has a mistake, and says where")
    func mistake() async throws {
      let file = FileManager.default.temporaryDirectory.appending(path: "aisle-\(UUID()).yaml")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data("name: x\nshows: 3\n".utf8).write(to: file)
      for command in ["run", "check"] {
        let answer = try await aisle(command, file.path)
        #expect(answer.status == 1)
        #expect((answer.output + answer.errors).contains("\(file.path):2:"))
      }
    }

    @Test("takes guards out and says which checks noticed; exits with 1 if one did not")
    func controls() async throws {
      let good = try await aisle("controls", path("last-seat"), path("month-end-refund"))
      #expect(good.status == 0, Comment(rawValue: good.output + good.errors))
      #expect(
        good.output.contains(
          "✓ without the stream's decision (read-model-check): no-seat-booked-twice breaks"))
      #expect(good.output.contains("✓ 3 guards taken out, and each was missed."))
      let file = FileManager.default.temporaryDirectory.appending(path: "lonely.yaml")
      defer { try? FileManager.default.removeItem(at: file) }
      let text = try String(contentsOfFile: path("last-seat"), encoding: .utf8)
        .replacing("name: last-seat", with: "name: lonely").replacing("count: 200", with: "count: 1")
        .replacing("concurrency: 200", with: "concurrency: 1")
      try Data(text.utf8).write(to: file)
      let silent = try await aisle("controls", file.path, "--json")
      #expect(silent.status == 1)
      #expect(
        silent.output.contains(#""is_broken" : false"#) || silent.output.contains(#""is_broken":false"#))
    }

    @Test("lists the shipped scenarios and finds no mistake in them")
    func list() async throws {
      let answer = try await aisle("list", SampleReports.scenarioDirectory)
      #expect(answer.status == 0)
      #expect(answer.output.contains("last-seat           Two hundred buyers, one seat left"))
      #expect(try await aisle("check", path("last-seat"), path("crash")).status == 0)
    }
  }
}
