import ArgumentParser
import EventStore
import Services

struct ProjectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections", abstract: "How far the derived tables are.", subcommands: [List.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Every subscription with its position, its lag and the error of its last try.",
      discussion: "Exits with status 1 if one of them is failing.")

    @Flag(help: "JSON.")
    var json = false

    private struct Entry: Encodable {
      let subscription: String
      let position: Int64
      let events: Int64
      let lag: Int64
      let lastError: String?
    }

    func run() async throws {
      try await Session.run { [json] session in
        let statuses = try await EventStore(pool: session.pool, upcasters: EventHistory.upcasters)
          .subscriptions()
        if json {
          let entries = statuses.map { status in
            Entry(
              subscription: status.name, position: status.position.rawValue, events: status.events,
              lag: status.lag,
              lastError: status.lastError)
          }
          print(try JSONText.document(entries))
        } else {
          print(
            TextTable(
              ["subscription", "position", "events", "lag", "last error"],
              statuses.map { status in
                [
                  status.name, "\(status.position)", "\(status.events)", "\(status.lag)",
                  status.lastError ?? "-",
                ]
              }
            ).rendered)
        }
        let failing = statuses.filter { $0.lastError != nil }.map(\.name)
        guard failing.isEmpty else {
          throw CommandFailure(
            "failing: \(failing.joined(separator: ", ")); the events behind them are waiting")
        }
      }
    }
  }
}

/// Columns side by side; numbers to the right.
struct TextTable {
  let header: [String]
  let rows: [[String]]

  init(_ header: [String], _ rows: [[String]]) {
    self.header = header
    self.rows = rows
  }

  var rendered: String {
    let widths = header.indices.map { column in
      ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    let isNumeric = header.indices.map { column in
      !rows.isEmpty && rows.allSatisfy { $0[column].first.map { $0.isNumber || $0 == "-" } ?? false }
    }
    func line(_ cells: [String]) -> String {
      var line = ""
      for (column, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (isNumeric[column] ? padding + cell : cell + padding)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
    return
      ([line(header), widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")]
      + rows.map(line))
      .joined(separator: "\n")
  }
}
