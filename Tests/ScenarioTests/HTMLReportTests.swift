import Foundation
import Testing
import Vocabulary

@testable import Scenarios

@Suite("The HTML report")
struct HTMLReportTests {
  @Test("says at the top whether the run passed")
  func verdict() throws {
    let passed = HTMLReport(try SampleReports.lastSeat()).render()
    #expect(passed.contains("<body class=\"passed\">"))
    #expect(passed.contains("One buyer won one seat. 199 were refused."))
    #expect(passed.contains("All 13 invariants hold."))
    #expect(!passed.contains("What went wrong first"))

    let failed = HTMLReport(try SampleReports.readModelCheck()).render()
    #expect(failed.contains("<body class=\"failed\">"))
    #expect(failed.contains("3 of 13 invariants broken."))
    #expect(failed.contains("What went wrong first"))
  }

  @Test("of a failed run names the invariant that was broken first, and the control for what it is")
  func firstFailure() throws {
    let page = HTMLReport(try SampleReports.readModelCheck()).render()
    let section = try #require(
      page.firstRange(of: "class=\"failure\"").map { page[$0.lowerBound...].prefix(900) })
    #expect(section.contains("no-seat-booked-twice"))
    #expect(section.contains("Seat F-30 is booked by 11 holds at once"))
    #expect(section.contains("which is there to be caught"))
  }

  @Test("loads nothing from anywhere")
  func selfContained() throws {
    for report in [try SampleReports.lastSeat(), try SampleReports.soldOut()] {
      let page = HTMLReport(report).render()
      for forbidden in ["http://", "https://", "<link", " src=", "@import", "url("] {
        #expect(!page.contains(forbidden), "\(forbidden)")
      }
      #expect(page.contains("default-src 'none'"))
    }
  }

  @Test("escapes every text, so that a hostile name stays a name")
  func hostileNames() throws {
    let hostile = "</script><script>alert('x')</script><img src=x onerror=\"y\">&amp;\u{0}"
    var report = try SampleReports.readModelCheck()
    report.scenario.name = hostile
    report.scenario.title = hostile
    report.scenario.story = hostile + "\n\n- `\(hostile)`\n- **\(hostile)**"
    report.environment.postgresql = hostile
    report.environment.operatingSystem = hostile
    report.environment.aisle = hostile
    report.verdict.headline = hostile
    report.counters.refusedByReason = [hostile: 3, "b": 2]
    report.counters.errorsByKind = [hostile: 1]
    for index in report.race.lanes.indices {
      report.race.lanes[index].buyer = hostile + "\(index)"
      report.race.lanes[index].group = hostile
      report.race.lanes[index].reason = hostile
      report.race.lanes[index].seats = [hostile]
    }
    report.race.lanes = Array(report.race.lanes.prefix(16))
    report.houses = [
      House(
        show: hostile, title: hostile,
        sections: [
          .init(
            id: hostile, price: hostile,
            rows: [
              .init(
                id: hostile, seats: [.init(.sold, buyers: [hostile]), .init(.oversold, buyers: [hostile])])
            ])
        ])
    ]
    for index in report.invariants.indices {
      report.invariants[index].title = hostile
      report.invariants[index].evidence = hostile
      report.invariants[index].fromLog = .init(holds: false, evidence: hostile)
      report.invariants[index].details = .init(columns: [hostile], rows: [[hostile]])
    }

    let page = HTMLReport(report).render()

    #expect(page.ranges(of: "<script>").count == 1, "only the report's own")
    #expect(page.ranges(of: "</script>").count == 1)
    #expect(!page.contains("<img"))
    #expect(!page.contains("onerror=\""))
    #expect(!page.contains("\u{0}"))
    #expect(page.contains("&lt;img src=x onerror=&quot;y&quot;&gt;&amp;amp;\u{FFFD}"))
  }

  @Test("draws a lane for each buyer of a small run")
  func lanes() throws {
    let page = HTMLReport(try SampleReports.lastSeat()).render()
    #expect(page.ranges(of: "<g><title>buyers-").count == 200)
    #expect(page.contains("One line for each buyer, from request to answer"))
    #expect(page.contains("F-30 to buyers-118"), "the winner is pointed out")
  }

  @Test("of a large run stays small and says what it leaves out")
  func bounded() throws {
    let page = HTMLReport(try SampleReports.soldOut()).render()
    #expect(page.ranges(of: "<g><title>friends-").count == Race.laneLimit)
    #expect(page.contains("300 of 2,000 attempts"))
  }

  @Test("sums up a house too large for a picture")
  func largeHouse() throws {
    var report = try SampleReports.lastSeat()
    let row = House.Row(id: "A", seats: Array(repeating: House.Seat(.free), count: 1_000))
    report.houses = [
      House(
        show: "arena", title: "Arena", sections: [.init(id: "all", price: "1.00 EUR", rows: [row, row, row])])
    ]
    let page = HTMLReport(report).render()
    #expect(page.contains("3,000 seats are too many for a picture"))
    #expect(!page.contains("<g class=\"seat"))
  }

  @Test("is well-formed: every element that is opened is closed in order")
  func wellFormed() throws {
    for report in try [
      SampleReports.lastSeat(), SampleReports.readModelCheck(), SampleReports.soldOut(),
      SampleReports.monthEnd(),
    ] {
      #expect(unbalancedElement(in: HTMLReport(report).render()) == nil)
    }
  }

  @Test("of a run without attempts or invariants is still a page, and not a passed one")
  func empty() throws {
    let plan = ScenarioPlan(try SampleReports.scenario("last-seat"))
    let page = HTMLReport(
      SampleReports.report(plan, [], log: LogGrowth(appends: 0, events: 0), houses: [], invariants: [])
    ).render()
    #expect(page.contains("<body class=\"failed\">"))
    #expect(page.contains("Nothing was checked"))
    #expect(unbalancedElement(in: page) == nil)
  }

  @Test("fits into an e-mail: every sample is below 400 kB")
  func samples() throws {
    // Set AISLE_SAMPLE_REPORTS to a directory to look at them.
    let directory = ProcessInfo.processInfo.environment["AISLE_SAMPLE_REPORTS"]
    for (name, report) in try [
      ("last-seat", SampleReports.lastSeat()), ("read-model-check", SampleReports.readModelCheck()),
      ("sold-out", SampleReports.soldOut()), ("month-end", SampleReports.monthEnd()),
    ] {
      let page = HTMLReport(report).render()
      #expect(page.utf8.count < 400_000, "\(name)")
      if let directory {
        try page.write(toFile: "\(directory)/\(name).html", atomically: true, encoding: .utf8)
      }
    }
  }

  /// The first element that is closed out of order or never, or nil.
  private func unbalancedElement(in page: String) -> String? {
    let void: Set<Substring> = ["meta", "!doctype", "path", "rect"]
    var open: [Substring] = []
    var rest = Substring(page)
    while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { return String(tag) }
        continue
      }
      let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
      if tag.hasSuffix("/") || (void.contains(name) && name != "rect") { continue }
      open.append(name)
      // The script and the style sheet are not markup.
      if name == "script" || name == "style" {
        guard let close = rest.firstRange(of: "</\(name)>") else { return String(name) }
        rest = rest[close.lowerBound...]
      }
    }
    return open.last.map(String.init)
  }
}
