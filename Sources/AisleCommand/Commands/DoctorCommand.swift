import ArgumentParser
import Foundation

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check this machine, and say how to mend what is wrong.",
    discussion: "Changes nothing. The exit status is 1 if a check failed; warnings do not count.")

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let settings = try Settings()
    let facts = await Doctor.Facts.gather(
      home: settings.home, databaseURL: settings.databaseURL)
    let report = DoctorReport(checks: Doctor(facts: facts).checks())
    print(json ? try report.json() : report.table)
    if !report.healthy { throw ExitCode.failure }
  }
}

/// The outcome of all checks, for people and for programs.
struct DoctorReport: Encodable {
  let healthy: Bool
  let checks: [Doctor.Check]

  init(checks: [Doctor.Check]) {
    self.checks = checks
    healthy = !checks.contains { $0.status == .failed }
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  var table: String {
    let width = checks.map(\.name.count).max() ?? 0
    return checks.map { check in
      let name = check.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let line = "\(check.status.mark)  \(name)  \(check.detail)"
      return check.remedy.map { "\(line)\n         \(name.blanked)  → \($0)" } ?? line
    }.joined(separator: "\n")
  }
}

extension Doctor.Status {
  fileprivate var mark: String {
    switch self {
    case .ok: "ok     "
    case .warning: "warning"
    case .failed: "FAILED "
    }
  }
}

extension String {
  fileprivate var blanked: String { String(repeating: " ", count: count) }
}
