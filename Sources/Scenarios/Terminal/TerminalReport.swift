/// A finished run as text for a terminal or a log.
public struct TerminalReport: Sendable {
  private let report: RunReport
  private let style: TerminalStyle

  public init(_ report: RunReport, style: TerminalStyle) {
    self.report = report
    self.style = style
  }

  public func render() -> String {
    [heading, figures, latencies, invariants, verdict].filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private var heading: String {
    let processes = report.processes.map { $0 == 1 ? "1 process" : "\($0) processes" } ?? "in one process"
    let subtitle = [
      report.scenario.name, "strategy \(report.strategy.rawValue)", "seed \(report.seed)", processes,
      "PostgreSQL \(report.environment.postgresql)", "\(report.environment.cores) cores",
    ]
    return style.paint(TerminalStyle.safe(report.scenario.title), .bold) + "\n"
      + style.paint(TerminalStyle.safe(subtitle.joined(separator: " · ")), .dim)
  }

  private var figures: String {
    let counters = report.counters
    var rows: [(String, String, String)] = [
      (
        "attempts", Numerals.grouped(counters.attempts),
        "in \(Numerals.duration(microseconds: report.durationMicroseconds))"
      ),
      ("winners", Numerals.grouped(counters.winners), soldNote),
      ("refused", Numerals.grouped(counters.refused), breakdown(counters.refusedByReason)),
    ]
    if counters.held > 0 {
      rows.append(("held", Numerals.grouped(counters.held), "not paid in the same breath"))
    }
    if counters.cancelled > 0 { rows.append(("cancelled", Numerals.grouped(counters.cancelled), "")) }
    rows.append(("errors", Numerals.grouped(counters.errors), breakdown(counters.errorsByKind)))
    rows.append(
      ("conflicts", Numerals.grouped(counters.conflicts), "expected another version, decided again"))
    rows.append(
      ("log", Numerals.grouped(counters.events), "events in \(Numerals.grouped(counters.appends)) appends"))
    let labels = rows.map(\.0.count).max() ?? 0
    let numbers = rows.map(\.1.count).max() ?? 0
    return rows.map { label, number, note in
      let line = "  " + label.padded(labels) + "  " + number.padded(numbers, left: true)
      let painted = label == "errors" && counters.errors > 0 ? style.paint(line, .red) : line
      return note.isEmpty ? painted : painted + "  " + style.paint(TerminalStyle.safe(note), .dim)
    }.joined(separator: "\n")
  }

  private var soldNote: String {
    let sold = report.counters.seatsSold
    let different = report.counters.differentSeatsSold
    let note = "\(Numerals.grouped(sold)) \(sold == 1 ? "seat" : "seats") sold"
    return sold == different ? note : note + ", \(Numerals.grouped(different)) different"
  }

  private func breakdown(_ counts: [String: Int]) -> String {
    counts.ranked.map { "\(Numerals.grouped($0.count)) \($0.name)" }.joined(separator: ", ")
  }

  private var latencies: String {
    guard !report.latencies.isEmpty else { return "" }
    let header = ["latency", "count", "p50", "p90", "p99", "p99.9", "max"]
    let rows = report.latencies.map { summary in
      [summary.operation.rawValue, Numerals.grouped(summary.count)]
        + [summary.p50, summary.p90, summary.p99, summary.p999, summary.max].map(
          Numerals.duration(microseconds:))
    }
    let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      "  " + cells.indices.map { cells[$0].padded(widths[$0], left: $0 > 0) }.joined(separator: "  ")
    }
    return ([style.paint(line(header), .dim)] + rows.map(line)).joined(separator: "\n")
  }

  private var invariants: String {
    let width = report.invariants.map(\.title.count).max() ?? 0
    return report.invariants.flatMap { result -> [String] in
      let mark = result.holds ? style.paint("✓", .green) : style.paint("✗", .red)
      let title = TerminalStyle.safe(result.title.padded(width))
      var lines = [
        "  \(mark) " + (result.holds ? title : style.paint(title, .red)) + "  "
          + style.paint(TerminalStyle.safe(result.evidence), .dim)
      ]
      guard !result.holds else { return lines }
      for (source, finding) in [("log", result.fromLog), ("read models", result.fromReadModel)] {
        if let finding, !finding.holds {
          lines.append("      \(source): \(TerminalStyle.safe(finding.evidence))")
        }
      }
      for row in result.details?.rows.prefix(5) ?? [] {
        lines.append("      " + TerminalStyle.safe(row.joined(separator: "  ")))
      }
      let more = (result.details.map { $0.rows.count + $0.omitted } ?? 0) - 5
      if more > 0 { lines.append("      … and \(Numerals.grouped(more)) more in the JSON and HTML reports") }
      return lines
    }.joined(separator: "\n")
  }

  private var verdict: String {
    let total = report.verdict.invariantsHeld + report.verdict.invariantsBroken
    let kept =
      report.verdict.holds
      ? style.paint("✓ all \(total) invariants hold.", .green)
      : style.paint("✗ \(report.verdict.invariantsBroken) of \(total) invariants broken.", .red)
    let first = report.verdict.firstBroken.map { " First: \($0.rawValue)." } ?? ""
    return style.paint(report.verdict.headline, .bold) + " " + kept + first
  }
}

extension String {
  fileprivate func padded(_ width: Int, left: Bool = false) -> String {
    let padding = String(repeating: " ", count: max(0, width - count))
    return left ? padding + self : self + padding
  }
}
