import Testing

@testable import Scenarios

@Suite("On a terminal or in a pipe")
struct TerminalTests {
  private func progress(_ done: Int, of expected: Int = 200, seconds: Double = 1) -> RunProgress {
    var progress = RunProgress(expected: expected, elapsedMicroseconds: Int64(seconds * 1_000_000))
    progress.done = done
    progress.winners = min(1, done)
    progress.refused = max(0, done - 1)
    return progress
  }

  @Test("piped progress is a plain line at each tenth of the way, and nothing in between")
  func piped() {
    var printer = ProgressPrinter(title: "last-seat", style: .plain)
    var lines: [String] = []
    for done in 0...200 { if let text = printer.update(progress(done)) { lines.append(text) } }
    let last = printer.finish(progress(200))
    #expect(lines.count == 11)
    #expect(lines[1] == "last-seat: 20 of 200, 1 won, 19 refused, 0 errors, 20/s\n")
    #expect(last.isEmpty, "the last line says it already")
    for line in lines {
      #expect(line.hasSuffix("\n"))
      #expect(!line.contains("\u{1B}"))
      #expect(!line.contains("\r"))
    }
  }

  @Test("piped progress that stands still says so every five seconds")
  func pipedStandstill() {
    var printer = ProgressPrinter(title: "last-seat", style: .plain)
    let first = printer.update(progress(50, seconds: 1))
    let soon = printer.update(progress(50, seconds: 5.9))
    let later = printer.update(progress(50, seconds: 6))
    #expect(first != nil)
    #expect(soon == nil)
    #expect(later != nil)
  }

  @Test("progress on a terminal redraws one line that never wraps", arguments: [20, 40, 60, 80, 200])
  func interactive(width: Int) throws {
    let style = TerminalStyle(isInteractive: true, usesColour: false, width: width)
    var printer = ProgressPrinter(title: "last-seat", style: style)
    let update = printer.update(progress(120))
    let text = try #require(update)
    #expect(text.hasPrefix("\r"))
    #expect(text.hasSuffix("\u{1B}[K"))
    #expect(!text.contains("\n"))
    #expect(text.dropFirst().dropLast(3).count < width)
    let last = printer.finish(progress(200))
    #expect(last.hasSuffix("\n"))
  }

  @Test("an error in the progress is red where there are colours")
  func colours() {
    var failing = progress(10)
    failing.errors = 2
    var printer = ProgressPrinter(title: "x", style: TerminalStyle(isInteractive: true, usesColour: true))
    let text = printer.update(failing)
    #expect(text?.contains("\u{1B}[31m2 errors\u{1B}[0m") == true)
  }

  @Test("colours need a terminal, and yield to NO_COLOR")
  func detection() {
    #expect(TerminalStyle.detect(isTerminal: true, width: 80, environment: [:]).usesColour)
    #expect(!TerminalStyle.detect(isTerminal: true, width: 80, environment: ["NO_COLOR": "1"]).usesColour)
    #expect(TerminalStyle.detect(isTerminal: true, width: 80, environment: ["NO_COLOR": ""]).usesColour)
    #expect(!TerminalStyle.detect(isTerminal: false, width: 80, environment: [:]).usesColour)
    #expect(!TerminalStyle.detect(isTerminal: false, width: 80, environment: [:]).isInteractive)
  }

  @Test("the summary of a passed run has a tick for each invariant and no escape codes when piped")
  func passed() throws {
    let text = TerminalReport(try SampleReports.lastSeat(), style: .plain).render()
    #expect(text.ranges(of: "✓").count == 14)
    #expect(!text.contains("✗"))
    #expect(!text.contains("\u{1B}"))
    #expect(text.contains("attempts   200"))
    #expect(text.hasSuffix("One buyer won one seat. 199 were refused. ✓ all 13 invariants hold.\n"))
  }

  @Test("the summary of a failed run shows the evidence and what broke first")
  func failed() throws {
    let text = TerminalReport(try SampleReports.readModelCheck(), style: .plain).render()
    #expect(text.contains("✗ no-seat-booked-twice"))
    #expect(text.contains("Seat F-30 is booked by 11 holds at once"))
    #expect(text.contains("… and 6 more in the JSON and HTML reports"))
    #expect(text.hasSuffix("✗ 3 of 13 invariants broken. First: no-seat-booked-twice.\n"))
  }

  @Test("the columns of the summary are aligned")
  func aligned() throws {
    let lines = TerminalReport(try SampleReports.lastSeat(), style: .plain).render().split(separator: "\n")
    let table = lines.filter {
      $0.hasPrefix("  latency") || $0.hasPrefix("  attempt ") || $0.hasPrefix("  hold")
    }
    #expect(table.count == 3)
    #expect(Set(table.map(\.count)).count == 1)
  }

  @Test("text from outside cannot move the cursor")
  func hostile() throws {
    var report = try SampleReports.lastSeat()
    report.scenario.title = "\u{1B}[2Jgone\r\n"
    report.invariants[0].evidence = "\u{1B}]0;title\u{7}"
    let text = TerminalReport(report, style: .plain).render()
    #expect(!text.contains("\u{1B}"))
    #expect(!text.contains("\u{7}"))
  }

  @Test("numbers have three significant digits and a unit")
  func numerals() {
    let durations =
      [0, 999, 1_000, 9_994, 9_996, 99_960, 999_499, 999_500, 59_999_000, 60_000_000, 125_000_000] as [Int64]
    #expect(
      durations.map(Numerals.duration(microseconds:))
        == [
          "0 µs", "999 µs", "1.00 ms", "9.99 ms", "10.0 ms", "100 ms", "999 ms", "1.00 s", "60.0 s", "1 min",
          "2 min 5 s",
        ])
    #expect(
      [0, 999, 1_000, 1_234_567, -1_000].map(Numerals.grouped) == [
        "0", "999", "1,000", "1,234,567", "-1,000",
      ])
  }
}
