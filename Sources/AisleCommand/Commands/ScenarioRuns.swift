import ArgumentParser
import Foundation
import Scenarios

/// Runs scenarios one after the other and shows what comes of them.
struct ScenarioRuns: Sendable {
  let session: Session
  let command: ScenarioCommand.Run

  func run(_ scenarios: [ScenarioFile]) async throws {
    var reports: [RunReport] = []
    for scenario in scenarios {
      let report = try await run(scenario)
      reports.append(report)
      if !command.json { print(TerminalReport(report, style: .detect(fileDescriptor: 1)).render()) }
      if let directory = command.report { try write(report, to: directory) }
    }
    if command.json {
      let documents = try reports.map { try $0.json() }
      let text = documents.count == 1 ? documents[0] : "[\n" + documents.joined(separator: ",\n") + "]\n"
      print(text, terminator: "")
    }
    guard reports.allSatisfy(\.verdict.holds) else { throw ExitCode.failure }
  }

  private func run(_ scenario: ScenarioFile) async throws -> RunReport {
    var options = ScenarioEngine.Options()
    options.concurrency = command.concurrency
    options.keepsDatabase = command.keep
    options.poolSize = session.settings.poolSize
    options.version = AisleVersion.current
    let plan = ScenarioPlan(scenario, strategy: command.strategy?.strategy, seed: command.seed)
    let engine = ScenarioEngine(server: session.conninfo, options: options, logger: session.logger)
    // Progress goes to standard error, so that standard output is the report alone.
    let style = TerminalStyle.detect(fileDescriptor: 2)
    let outcome: ScenarioEngine.Outcome
    do {
      outcome = try await engine.run(plan) { recorder in
        await ProgressPrinter.follow(recorder, style: style, title: scenario.name) { text in
          FileHandle.standardError.write(Data(text.utf8))
        }
      }
    } catch is CancellationError {
      throw CommandFailure("interrupted; \(scenario.name) was not judged")
    }
    if let database = outcome.database {
      let hint =
        session.settings.databaseURL == nil
        ? "; look into it with: AISLE_DATABASE=\(database.name) aisle up" : ""
      say("kept the database \(database.name)\(hint)")
    }
    return outcome.report
  }

  private func write(_ report: RunReport, to directory: String) throws {
    let name = "\(report.scenario.name)-\(report.strategy.rawValue)"
    let folder = URL(filePath: directory, directoryHint: .isDirectory)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let files = [("json", try report.json()), ("html", HTMLReport(report).render())]
      for (type, text) in files {
        try Data(text.utf8).write(to: folder.appending(path: "\(name).\(type)"), options: .atomic)
      }
    } catch {
      throw CommandFailure("the report cannot be written to \(directory): \(error.localizedDescription)")
    }
    say("wrote \(folder.appending(path: name).path).json and .html")
  }

  private func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
