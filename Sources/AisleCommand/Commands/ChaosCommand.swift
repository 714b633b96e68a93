import ArgumentParser
import Chaos
import Foundation
import Logging
import PostgreSQL

struct ChaosCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chaos",
    abstract: "Break everything around the event store, and check that nothing was lost.",
    discussion: """
      Each round, aisle processes append to, read and follow a fresh log on a private server while faults strike. Then \
      everything is healed, the processes finish, and the recorded history is judged: what was acknowledged is there \
      once and in its place, what failed is not, every conflict and every read was true at some moment, every \
      subscriber was handed the log without a hole, and a projection is the fold of the log at each checkpoint.
      """,
    subcommands: [Run.self, Check.self, Worker.self], defaultSubcommand: Run.self)

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run rounds of load and faults (the default).",
      discussion: """
        It uses no database of yours: the server and the histories are made in a temporary directory and removed. A \
        failed round says what is wrong and with which seed to have it again:
          aisle chaos --seed SEED --rounds 1
        The seed decides load and faults; the races between them differ from run to run. With --report the history of \
        a failed round is kept, and can be judged again with: aisle chaos check FILE

        Faults:
        \(ChaosFault.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

        Exit status: 0 if nothing was lost in any round; 1 otherwise.
        """)

    @Option(help: "How many rounds.")
    var rounds = 200

    @Option(help: "What load and faults are drawn from.")
    var seed: UInt64 = 1

    @Option(help: "Seconds of load in each round; healing and judging come on top.")
    var secondsPerRound = 2.0

    @Option(help: "How many aisle processes.")
    var workers = 3

    @Option(help: "Only these faults, with commas between them.")
    var faults: FaultList?

    @Option(help: "Directory for summary.json and for the histories of failed rounds.")
    var report: String?

    @Option(help: "Where the server and the histories are made.")
    var temporary = "/tmp"

    @Flag(help: "One JSON document.")
    var json = false

    func validate() throws {
      if rounds < 1 { throw ValidationError("--rounds is at least 1") }
      if !(0.2...600).contains(secondsPerRound) { throw ValidationError("--seconds-per-round is 0.2 to 600") }
      if !(1...16).contains(workers) { throw ValidationError("--workers is 1 to 16") }
    }

    func run() async throws {
      LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: .critical) }
      let folder = "\(temporary)/aisle-chaos-\(getpid())"
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
      defer { try? FileManager.default.removeItem(atPath: folder) }
      var options = ChaosRun.Options(executable: try Self.executable(), folder: folder)
      options.rounds = rounds
      options.seed = seed
      options.secondsPerRound = secondsPerRound
      options.workers = workers
      options.faults = faults?.faults ?? ChaosFault.allCases
      options.report = report
      let chaos = ChaosRun(options, logger: Logger(label: "aisle.chaos"))
      let (json, report) = (json, report)
      try await Session.interruptible {
        let summary = try await chaos.run { result in
          let text = ChaosText.line(result) + "\n"
          // With --json only the document goes to standard output.
          (json ? FileHandle.standardError : FileHandle.standardOutput).write(Data(text.utf8))
        }
        if let report {
          try FileManager.default.createDirectory(atPath: report, withIntermediateDirectories: true)
          try Data(JSONText.document(summary).utf8).write(to: URL(filePath: "\(report)/summary.json"))
        }
        print(json ? try JSONText.document(summary) : ChaosText.summary(summary))
        if !summary.holds { throw ExitCode.failure }
      }
    }

    private static func executable() throws -> String {
      URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Judge a history that was kept.",
      discussion: """
        Several files are one history: those of several processes, which share the machine's clock. Prints each breach \
        with the records that prove it. Exit status: 0 if there is none; 1 otherwise.
        """)

    @Argument(help: "Files of JSON lines.")
    var files: [String]

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
      let report = HistoryChecker.check(try files.flatMap { try HistoryFile.read($0) })
      print(json ? try JSONText.document(report) : ChaosText.report(report))
      if !report.holds { throw ExitCode.failure }
    }
  }

  /// A process that `aisle chaos` starts, and kills.
  struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "worker", abstract: "Put load on a log, as told on standard input.", shouldDisplay: false)

    @Option var name: String
    @Option var history: String
    @Option var workload: String

    func run() async throws {
      guard let conninfo = try Settings().databaseURL else {
        throw CommandFailure("a worker is started by aisle chaos, which tells it its database")
      }
      LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: .critical) }
      let worker = try ChaosWorker(
        try JSONDecoder().decode(Workload.self, from: Data(workload.utf8)), conninfo: conninfo,
        recorder: try HistoryRecorder(process: name, file: history), logger: Logger(label: "aisle.chaos"))
      try await ChaosWorkerProcess(worker).run()
    }
  }

  struct FaultList: ExpressibleByArgument {
    let faults: [ChaosFault]

    init?(argument: String) {
      let names = argument.split(separator: ",").map(String.init)
      let faults = names.compactMap(ChaosFault.init(rawValue:))
      guard !faults.isEmpty, faults.count == names.count else { return nil }
      self.faults = faults
    }

    static var allValueStrings: [String] { ChaosFault.allCases.map(\.rawValue) }
  }
}

/// Results for the terminal.
enum ChaosText {
  static func line(_ result: RoundResult) -> String {
    let faults = result.plan.faults.map(\.rawValue).joined(separator: ", ")
    var text =
      "round \(result.round), seed \(result.plan.seed): \(faults); \(outcomes(result.check.outcomes))"
    text += "; " + (result.holds ? "nothing lost" : "FAILED")
    text += String(format: " (%.1f s)", result.seconds)
    for (fault, reason) in result.notRun.sorted(by: { $0.key < $1.key }) {
      text += "\n  not run: \(fault): \(reason)"
    }
    for problem in result.problems { text += "\n  \(problem)" }
    if !result.check.holds { text += "\n" + indented(violations(result.check)) }
    if let history = result.history { text += "\n  judge it again: aisle chaos check \(history)" }
    if !result.holds { text += "\n  have it again:  aisle chaos --seed \(result.plan.seed) --rounds 1" }
    return text
  }

  static func summary(_ summary: ChaosSummary) -> String {
    var lines = [
      "\(summary.rounds) rounds in \(Int(summary.seconds)) s, seed \(summary.seed): "
        + (summary.holds ? "nothing lost" : "\(summary.failed) FAILED"),
      "faults: " + list(summary.faults),
      "appends: \(summary.appends) (\(outcomes(summary.outcomes)))",
      "reads: \(summary.reads), events handed to subscribers: \(summary.deliveries), "
        + "samples of the projection: \(summary.samples), events in the logs: \(summary.events)",
      "breaches: \(summary.violations), other problems: \(summary.problems)",
    ]
    for (fault, reason) in summary.notRun.sorted(by: { $0.key < $1.key }) {
      lines.append("not run: \(fault): \(reason)")
    }
    return lines.joined(separator: "\n")
  }

  static func report(_ report: HistoryChecker.Report) -> String {
    let looked =
      "\(report.appends) appends (\(outcomes(report.outcomes))), \(report.reads) reads, \(report.deliveries) deliveries, "
      + "\(report.samples) samples, \(report.events) events in the log"
    return report.holds ? "\(looked): nothing is wrong" : "\(looked)\n\(violations(report))"
  }

  private static func violations(_ report: HistoryChecker.Report) -> String {
    let total = report.counts.values.reduce(0, +)
    var lines = report.violations.map(\.description)
    lines.append(
      "\(total) breaches"
        + (total > report.violations.count ? ", \(report.violations.count) of them listed" : ""))
    return lines.joined(separator: "\n")
  }

  private static func outcomes(_ outcomes: [String: Int]) -> String {
    outcomes.isEmpty ? "no appends" : list(outcomes)
  }

  private static func list(_ counts: [String: Int]) -> String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }.joined(
      separator: ", ")
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
  }
}
