import Vocabulary

/// A finished run as one HTML file that needs nothing else: no network, no other file. Light and dark, from a phone
/// to a wall.
///
/// Its size is bounded: at most ``Race/laneLimit`` attempts and ``HousePlan/seatLimit`` seats are drawn one by one,
/// and the page says so.
public struct HTMLReport: Sendable {
  private let report: RunReport

  public init(_ report: RunReport) {
    self.report = report
  }

  public func render() -> String {
    let verdict = report.verdict.holds ? "✓" : "✗"
    let page: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
      script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
      <title>\(verdict) \(report.scenario.title) · Aisle</title>
      <style>\(HTML(trusted: ReportStyle.css))</style>
      </head>
      <body class="\(report.verdict.holds ? "passed" : "failed")">
      <main>
      \(header)
      \(firstFailure)
      \(figures)
      \(story)
      \(race)
      \(houses)
      \(invariants)
      \(latencies)
      </main>
      \(footer)
      <script>\(HTML(trusted: ReportScript.javaScript))</script>
      </body>
      </html>

      """
    return page.markup
  }

  // MARK: The top

  private var header: HTML {
    let total = report.verdict.invariantsHeld + report.verdict.invariantsBroken
    let kept =
      report.verdict.holds
      ? (total == 1 ? "The one invariant holds." : "All \(total) invariants hold.")
      : total == 0
        ? "Nothing was checked, so this proves nothing."
        : "\(report.verdict.invariantsBroken) of \(total) invariants broken."
    return """
      <header>
        <p class="kicker">Aisle <span>scenario</span> \(report.scenario.name)</p>
        <h1>\(report.scenario.title)</h1>
        <div class="verdict">
          <span class="seal" role="img" aria-label="\(report.verdict.holds ? "passed" : "failed")">\
      \(report.verdict.holds ? "✓" : "✗")</span>
          <div><p class="headline">\(report.verdict.headline)</p><p class="kept">\(kept)</p></div>
        </div>
      </header>
      """
  }

  private var firstFailure: HTML {
    guard let name = report.verdict.firstBroken,
      let broken = report.invariants.first(where: { $0.name == name && !$0.holds })
    else { return .empty }
    let when: HTML =
      broken.brokenAtMicroseconds.map {
        " <span class=\"when\">\(Numerals.duration(microseconds: $0)) into the run</span>"
      } ?? ""
    let control: HTML =
      report.strategy == .readModelCheck
      ? """
      <p class="control">This run used the strategy <code>read-model-check</code>, which is there to be caught: it \
      looks at a read model that lags behind, then books. It shows that the check can fail.</p>
      """ : ""
    return """
      <section class="failure" aria-labelledby="failure">
        <h2 id="failure">What went wrong first\(when)</h2>
        <p class="what"><a href="#\(InvariantList.anchor(broken))">\(broken.title)</a> \(StoryText.inline(broken.name.statement))</p>
        <p>\(broken.evidence)</p>
        \(control)
      </section>
      """
  }

  private var figures: HTML {
    let counters = report.counters
    let isOversold = report.houses.contains { $0.count(.oversold) > 0 }
    func top(_ counts: [String: Int]) -> String {
      guard let first = counts.ranked.first else { return "" }
      return counts.count == 1 ? first.name : "\(first.name) and \(counts.count - 1) more"
    }
    var tiles: [(value: String, label: String, note: String, style: String)] = [
      (
        Numerals.grouped(counters.winners), counters.winners == 1 ? "winner" : "winners",
        "of \(Numerals.grouped(counters.attempts)) attempts", "won"
      ),
      (Numerals.grouped(counters.refused), "refused", top(counters.refusedByReason), ""),
      (
        Numerals.grouped(counters.errors), counters.errors == 1 ? "error" : "errors",
        top(counters.errorsByKind),
        counters.errors > 0 ? "error" : ""
      ),
      (
        Numerals.grouped(counters.seatsSold), counters.seatsSold == 1 ? "seat sold" : "seats sold",
        counters.seatsSold == counters.differentSeatsSold
          ? "" : "\(Numerals.grouped(counters.differentSeatsSold)) different",
        isOversold ? "error" : ""
      ),
    ]
    tiles.append(
      counters.cancelled > 0
        ? (Numerals.grouped(counters.cancelled), "cancelled", "", "")
        : (Numerals.duration(microseconds: report.durationMicroseconds), "of real time", "", ""))
    if let attempt = report.latencies.first(where: { $0.operation == .attempt }) {
      tiles.append(
        (
          Numerals.duration(microseconds: attempt.p50), "typical answer",
          "99 % within \(Numerals.duration(microseconds: attempt.p99))", ""
        ))
    }
    tiles.append(
      (
        Numerals.grouped(counters.conflicts), counters.conflicts == 1 ? "conflict" : "conflicts",
        "met a newer version, decided again", ""
      ))
    tiles.append(
      (
        Numerals.grouped(counters.events), counters.events == 1 ? "event" : "events",
        "in \(Numerals.grouped(counters.appends)) appends", ""
      ))
    let html = tiles.map { tile in
      """
      <div class="tile \(tile.style)"><dt>\(tile.label)</dt><dd><b>\(tile.value)</b><span>\(tile.note)</span></dd></div>

      """ as HTML
    }
    return "<dl class=\"tiles\">\(html)</dl>"
  }

  private var story: HTML {
    let simulated = report.simulated
    func time(_ instant: Timestamp) -> HTML { "<time>\(instant.rfc3339)</time>" }
    var facts: [(name: String, value: HTML)] = [
      ("Strategy", "\(report.strategy.rawValue): \(report.strategy.explanation)"),
      ("Processes", "\(report.processes.map { "\($0), each an aisle of its own" } ?? "the runner’s own")"),
      ("Seed", "\(String(report.seed))"),
      (
        "Scenario’s clock",
        simulated.from == simulated.to
          ? time(simulated.from) : "\(time(simulated.from)) to \(time(simulated.to))"
      ),
      ("Took", "\(Numerals.duration(microseconds: report.durationMicroseconds)) of real time"),
      ("Started", time(report.startedAt)),
      ("PostgreSQL", "\(report.environment.postgresql)"),
      ("Machine", "\(report.environment.cores) cores, \(report.environment.operatingSystem)"),
    ]
    let reasons = report.counters.refusedByReason.ranked
    if reasons.count > 1 {
      facts.insert(
        (
          "Refused because",
          "\(reasons.map { "\(Numerals.grouped($0.count)) \($0.name)" }.joined(separator: ", "))"
        ), at: 0)
    }
    let html = facts.map { "<dt>\($0.name)</dt><dd>\($0.value)</dd>\n" as HTML }
    return """
      <section class="story" aria-labelledby="story">
        <div><h2 id="story">The story</h2>\(StoryText.html(report.scenario.story))</div>
        <aside aria-label="This run"><h2>This run</h2><dl>\(html)</dl></aside>
      </section>
      """
  }

  // MARK: The pictures

  private var race: HTML {
    guard report.race.attempts > 0 else { return .empty }
    return """
      <section aria-labelledby="race">
        <h2 id="race">The race</h2>
        \(RaceChart(race: report.race, houses: report.houses).html)
        \(AttemptTable(race: report.race).html)
      </section>
      """
  }

  private var houses: HTML {
    guard !report.houses.isEmpty else { return .empty }
    return """
      <section aria-labelledby="house">
        <h2 id="house">The house</h2>
        \(report.houses.map { HousePlan(house: $0).html })
      </section>
      """
  }

  private var invariants: HTML {
    """
    <section aria-labelledby="invariants">
      <h2 id="invariants">What had to hold</h2>
      \(InvariantList(results: report.invariants).html)
    </section>
    """
  }

  private var latencies: HTML {
    guard !report.latencies.isEmpty else { return .empty }
    return """
      <section aria-labelledby="latency">
        <h2 id="latency">How long it took</h2>
        <div class="charts">\(report.latencies.map { LatencyChart(summary: $0).html })</div>
        \(LatencyTable(summaries: report.latencies).html)
        <p class="note">Time runs on a logarithmic axis. The height is the square root of the count, so that the few \
      slow ones can be seen beside the many; lighter bars lie beyond p99.</p>
      </section>
      """
  }

  private var footer: HTML {
    """
    <footer><p>Made by aisle \(report.environment.aisle), report format \(report.format). This page loads nothing from
    anywhere; the same data is in the JSON report.</p></footer>
    """
  }
}
