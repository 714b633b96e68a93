import ArgumentParser
import EventStore
import Foundation
import Lake
import Services
import Synchronization
import Vocabulary

struct LakeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lake", abstract: "The log as files that any tool can read.",
    subcommands: [Export.self, Verify.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Export the log, continuing where the last export ended.",
      discussion: """
        Writes Delta Lake tables of Parquet files, which Spark, DuckDB, Trino, Polars and others read: all events, and \
        what happened to orders, seats and bills in columns. With --format ndjson it writes zstd-compressed JSON lines and \
        a manifest instead. It may be killed at any moment: the next export continues with the same bytes. docs/lake.md \
        describes both.
        """)

    @Option(name: .customLong("to"), help: "The lake's directory; made if necessary.")
    var directory: String

    @Option(help: "delta or ndjson. An existing lake goes on in its own; a new one is delta.")
    var format: LakeFormat?

    @Option(
      help: """
        Close a file (ndjson; default 64 MB), or commit (delta; default 1 GB), at this many bytes before compression.
        """)
    var targetBytes: Int64?

    @Flag(help: "Go on exporting as the log grows, until Ctrl-C.")
    var follow = false

    @Option(help: "With --follow: seconds between two exports at least. Longer makes fewer, larger files.")
    var interval = 10

    @Flag(help: "Wait while another process exports to the same lake, instead of failing.")
    var wait = false

    @Flag(
      help: """
        Only remove the files that interrupted exports left. Nobody else can export meanwhile. Every export does the same \
        before it begins.
        """)
    var vacuum = false

    @Flag(help: "Print what was done as JSON.")
    var json = false

    func validate() throws {
      guard targetBytes ?? 1 >= 1 else { throw ValidationError("--target-bytes is 1 or more") }
      guard interval >= 1 else { throw ValidationError("--interval is 1 or more") }
      guard !(vacuum && follow) else {
        throw ValidationError("--vacuum exports nothing, so it cannot follow")
      }
    }

    func run() async throws {
      try await Session.run { [self] session in
        let store = EventStore(pool: session.pool, upcasters: EventHistory.upcasters)
        if vacuum { return try await clean(store) }
        try await export(store)
        guard follow else { return }
        let watcher = LogWatcher(of: store)
        await withTaskGroup(of: Void.self) { group in
          group.addTask { await watcher.run() }
          group.addTask { await followLog(store, watcher) }
          await group.next()
          group.cancelAll()
        }
      }
    }

    private func followLog(_ store: EventStore, _ watcher: LogWatcher) async {
      while !Task.isCancelled {
        do {
          try await Task.sleep(for: .seconds(interval))
          let before = try await store.head()
          try await export(store)
          await watcher.wait(beyond: before)
        } catch is CancellationError {
          return
        } catch {
          Progress.line("the export will be tried again: \(error)")
        }
      }
    }

    private var url: URL { URL(filePath: directory, directoryHint: .isDirectory) }

    private var options: LakeExportOptions {
      LakeExportOptions(format: format, targetBytes: targetBytes, whenBusy: wait ? .wait : .fail)
    }

    private func clean(_ store: EventStore) async throws {
      let identity = LakeIdentity(tenant: store.tenant, log: try await store.logID())
      let removed = try await LakeExporter(directory: url, identity: identity, options: options).vacuum()
      if json { return print(try JSONText.document(["removed_files": removed])) }
      print("removed \(removed) files that no commit names")
    }

    private func export(_ store: EventStore) async throws {
      let meter = ProgressMeter()
      let summary = try await LakeExporter.export(
        store, to: url, options: options
      ) { progress in
        meter.show {
          let rate = Int(progress.eventsPerSecond)
          let left = progress.remaining.map { ", \(Int($0.secondsAsDouble.rounded(.up))) s left" } ?? ""
          return "exported \(progress.eventsDone) of \(progress.eventsTotal) events, \(rate)/s\(left)"
        }
      }
      if json { return print(try JSONText.document(summary)) }
      print(
        summary.events == 0
          ? "the lake is complete up to position \(summary.lastPosition); nothing new"
          : "exported \(summary.events) events in \(summary.files) files, \(summary.compressedBytes) bytes "
            + "(\(summary.uncompressedBytes) before compression); the lake ends at position \(summary.lastPosition)"
      )
    }
  }

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prove that a lake is complete and unaltered, and compute the bills from its files alone.",
      discussion: """
        Needs no database. Exits with status 1 if anything is wrong, and says what and where. What a lake cannot show is \
        that its end was cut off together with the entries and files: --through demands the position that it has to \
        reach, as the last export printed it.
        """)

    @Argument(help: "The lake's directory.")
    var directory: String

    @Option(help: "The position that the lake has to reach.")
    var through: Int64?

    @Option(name: .customLong("log-id"), help: "The identity of the log that the lake has to be a copy of.")
    var log: LogID?

    @Flag(help: "JSON.")
    var json = false

    /// As `lake verify --json` and every manifest entry print it.
    struct LogID: ExpressibleByArgument {
      let identity: LakeIdentity

      init?(argument: String) {
        guard let id = UUID(uuidString: argument) else { return nil }
        identity = LakeIdentity(tenant: .main, log: id)
      }
    }

    func validate() throws {
      guard through ?? 0 >= 0 else { throw ValidationError("--through is 0 or more") }
    }

    func run() async throws {
      let meter = ProgressMeter()
      let report = try await LakeVerifier.verify(
        URL(filePath: directory, directoryHint: .isDirectory), expecting: log?.identity, through: through
      ) { progress in
        meter.show {
          "checked \(progress.entriesDone) of \(progress.entriesTotal) commits, \(progress.eventsDone) events"
        }
      }
      if json {
        print(try JSONText.document(report))
      } else {
        for problem in report.problems { print("✗ \(problem)") }
        let unlisted = report.problemCount - Int64(report.problems.count)
        if unlisted > 0 { print("✗ and \(unlisted) more") }
        if report.isBeingExported {
          for path in report.orphans {
            print("… \(path): no manifest entry names it yet; an export is at work")
          }
        }
        if report.isComplete {
          print(
            "✓ \(report.events) events in \(report.files) files: every position from 1 to \(report.lastPosition ?? 0) "
              + "once, every hash right")
        }
        print(BillTable(report.bills).rendered)
      }
      guard report.isComplete, report.problemCount == 0 else {
        throw CommandFailure("the lake has \(report.problemCount) problems")
      }
    }
  }
}

extension LakeFormat: ExpressibleByArgument {}

/// At most four lines a second, on standard error.
final class ProgressMeter: Sendable {
  private let last = Mutex<ContinuousClock.Instant?>(nil)

  func show(_ text: () -> String) {
    let due = last.withLock { last in
      if let last, last.duration(to: .now) < .milliseconds(250) { return false }
      defer { last = .now }
      // The first call only starts the clock: short work needs no progress.
      return last != nil
    }
    if due { Progress.line(text()) }
  }
}
