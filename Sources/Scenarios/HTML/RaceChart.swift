/// The race in time: how the answers came in, and below it, on the same axis, a lane for each buyer from request to
/// answer.
struct RaceChart {
  let race: Race
  let houses: [House]

  private struct Lane {
    let buyer: String
    var attempts: [Attempt]
  }

  private static let answersHeight = 84.0

  private var lanes: [Lane] {
    var indices: [String: Int] = [:]
    var lanes: [Lane] = []
    for attempt in race.lanes {
      if let index = indices[attempt.buyer] {
        lanes[index].attempts.append(attempt)
      } else {
        indices[attempt.buyer] = lanes.count
        lanes.append(Lane(buyer: attempt.buyer, attempts: [attempt]))
      }
    }
    return lanes
  }

  var html: HTML {
    guard let first = race.bins.first, let last = race.bins.last else { return .empty }
    let end = max(last.from + 1, race.lanes.map(\.endMicroseconds).max() ?? last.to)
    // A little room at the right for the last bar's end.
    let axis = ChartAxis(.linear, from: first.from, to: end + (end - first.from) / 50)
    let lanes = self.lanes
    let names = lanes.count <= 16
    let pitch = Self.pitch(lanes.count)
    let height = max(pitch * Double(lanes.count), 20)
    return """
      <figure class="chart race">
        \(legend)
        <p class="part">Answers in each \(Numerals.duration(microseconds: first.to - first.from))</p>
        <div class="plot">
          <svg viewBox="0 0 1000 \(Int(Self.answersHeight))" preserveAspectRatio="none" role="img"
            style="height:\(Int(Self.answersHeight))px" aria-label="\(answersDescription)">\
      \(axis.grid(height: Self.answersHeight))\(answers(axis))</svg>
        </div>
        <p class="part">\(caption(lanes.count))</p>
        <div class="plot lanes" id="lanes" tabindex="0" role="group" aria-roledescription="timeline"
          aria-label="Timeline of the attempts. Arrow keys go from one buyer to the next."
          style="padding-top:\(moments.count * Self.momentHeight)px">
          \(momentLines(axis))
          <svg viewBox="0 0 1000 \(ChartAxis.decimal(height))" preserveAspectRatio="none" aria-hidden="true"
            style="height:\(ChartAxis.decimal(height))px">\(axis.grid(height: height))\(bars(lanes, axis, pitch, names))\
      \(names ? .empty : firstWin(lanes, axis, pitch))</svg>
          \(names ? labels(lanes, axis, pitch) : .empty)
        </div>
        \(axis.labels)
        <p class="tip" id="tip" aria-live="polite" hidden></p>
      </figure>
      """
  }

  private static func pitch(_ lanes: Int) -> Double {
    switch lanes {
    case ...16: 30
    case ...50: 10
    case ...120: 5
    default: 3
    }
  }

  // MARK: Answers

  private func answers(_ axis: ChartAxis) -> HTML {
    let highest = Double(race.bins.map(\.total).max() ?? 1)
    var rects: [HTML] = []
    for bin in race.bins where bin.total > 0 {
      var top = Self.answersHeight
      let left = axis.position(bin.from) * 1000
      let width = max(1.5, axis.position(bin.to) * 1000 - left - 1.2)
      for (count, style) in [
        (bin.error, "error"), (bin.won, "won"), (bin.other, "held"), (bin.refused, "refused"),
      ]
      where count > 0 {
        let height = max(2, Double(count) / highest * (Self.answersHeight - 8))
        top -= height
        rects.append(
          """
          <rect class="\(style)" x="\(ChartAxis.decimal(left))" y="\(ChartAxis.decimal(max(0, top)))" \
          width="\(ChartAxis.decimal(width))" height="\(ChartAxis.decimal(height))">\
          <title>\(Numerals.grouped(count)) \(style)</title></rect>
          """)
      }
    }
    return "\(rects)"
  }

  private var answersDescription: String {
    let totals = race.bins.reduce(into: (won: 0, refused: 0, error: 0)) {
      $0 = ($0.won + $1.won, $0.refused + $1.refused, $0.error + $1.error)
    }
    return "Answers over time: \(totals.won) won, \(totals.refused) refused, \(totals.error) errors."
  }

  // MARK: Lanes

  private func bars(_ lanes: [Lane], _ axis: ChartAxis, _ pitch: Double, _ names: Bool) -> HTML {
    let thickness = names ? 9 : max(1.6, pitch * 0.62)
    let html = lanes.enumerated().map { index, lane in
      let rects = lane.attempts.map { attempt in
        let left = axis.position(attempt.startMicroseconds) * 1000
        let width = max(2.5, axis.position(attempt.endMicroseconds) * 1000 - left)
        let style = style(of: attempt)
        let thickness = style == "again" && !names ? max(thickness, pitch * 0.95) : thickness
        let y = names ? Double(index) * pitch + 17 : (Double(index) + 0.5) * pitch - thickness / 2
        return """
          <rect class="\(style)" x="\(ChartAxis.decimal(left))" y="\(ChartAxis.decimal(max(0, y)))" \
          width="\(ChartAxis.decimal(width))" height="\(ChartAxis.decimal(thickness))"/>
          """ as HTML
      }
      return "<g><title>\(tooltip(lane))</title>\(rects)</g>\n" as HTML
    }
    return "\(html)"
  }

  /// The first winner's bar again, stronger and on top of its neighbours: what everybody looks for first.
  private func firstWin(_ lanes: [Lane], _ axis: ChartAxis, _ pitch: Double) -> HTML {
    guard let win = wins.first, let index = lanes.firstIndex(where: { $0.buyer == win.buyer }) else {
      return .empty
    }
    let left = axis.position(win.startMicroseconds) * 1000
    let width = max(4, axis.position(win.endMicroseconds) * 1000 - left)
    return """
      <rect class="won" x="\(ChartAxis.decimal(left))" y="\(ChartAxis.decimal((Double(index) + 0.5) * pitch - 3.5))" \
      width="\(ChartAxis.decimal(width))" height="7"/>
      """
  }

  private func labels(_ lanes: [Lane], _ axis: ChartAxis, _ pitch: Double) -> HTML {
    let html = lanes.enumerated().map { index, lane in
      let start = axis.position(lane.attempts.first?.startMicroseconds ?? 0)
      let place: HTML =
        start > 0.6
        ? "right:\(ChartAxis.decimal((1 - start) * 100))%" : "left:\(ChartAxis.decimal(start * 100))%"
      return """
        <span class="name" style="top:\(Int(Double(index) * pitch) + moments.count * Self.momentHeight)px;\(place)">\(lane.buyer)</span>
        """ as HTML
    }
    return "\(html)"
  }

  private var wins: [Attempt] {
    race.lanes.filter { $0.outcome == .won }.sorted { $0.endMicroseconds < $1.endMicroseconds }
  }

  private func style(of attempt: Attempt) -> String {
    switch attempt.outcome {
    case .won: isSoldAgain(attempt) ? "again" : "won"
    case .held, .cancelled, .done: "held"
    case .refused: "refused"
    case .error: "error"
    }
  }

  /// Got a seat that was somebody else's already.
  private func isSoldAgain(_ attempt: Attempt) -> Bool {
    attempt.seats.contains { seat in
      guard let owners = oversold[seat] else { return false }
      return owners.first != attempt.buyer
    }
  }

  /// The owners of each seat that was sold more than once, the first answered first.
  private var oversold: [String: [String]] {
    var owners: [String: [String]] = [:]
    for house in houses {
      for row in house.sections.flatMap(\.rows) {
        for (index, seat) in row.seats.enumerated() where seat.state == .oversold {
          let id = "\(row.id)-\(index + 1)"
          owners[id] = wins.filter { $0.seats.contains(id) }.map(\.buyer)
        }
      }
    }
    return owners
  }

  private func tooltip(_ lane: Lane) -> String {
    lane.attempts.map { attempt in
      var parts = ["\(attempt.buyer): \(attempt.action.rawValue), \(Self.name(attempt))"]
      if isSoldAgain(attempt) { parts.append("which was sold already") }
      parts.append(
        "asked at \(Numerals.duration(microseconds: attempt.startMicroseconds)), answered after "
          + Numerals.duration(microseconds: attempt.endMicroseconds - attempt.startMicroseconds))
      if let version = attempt.streamVersion { parts.append("version \(version) of the show’s stream") }
      if attempt.conflicts > 0 {
        parts.append("\(attempt.conflicts) \(attempt.conflicts == 1 ? "conflict" : "conflicts") on the way")
      }
      if let worker = attempt.worker { parts.append("by worker-\(worker)") }
      return parts.joined(separator: ", ")
    }.joined(separator: "\n")
  }

  static func name(_ attempt: Attempt) -> String {
    let seats = attempt.seats.joined(separator: ", ")
    return switch attempt.outcome {
    case .won: seats.isEmpty ? "won" : "won \(seats)"
    case .held: seats.isEmpty ? "held" : "held \(seats)"
    case .cancelled: "cancelled"
    case .done: seats.isEmpty ? "done" : "done \(seats)"
    case .refused: "refused" + (attempt.reason.map { " (\($0))" } ?? "")
    case .error: "error" + (attempt.reason.map { " (\($0))" } ?? "")
    }
  }

  // MARK: Moments

  private static let momentHeight = 26

  private struct Moment {
    let at: Int64
    let text: String
    var style = ""
  }

  /// When the scenario's clock moved on; in a scenario of one instant, when the first and the last seat went.
  private var moments: [Moment] {
    var clock: [String: Int64] = [:]
    for attempt in race.lanes {
      guard let instant = attempt.simulatedAt?.rfc3339 else { continue }
      clock[instant] = min(clock[instant] ?? .max, attempt.startMicroseconds)
    }
    if clock.count > 1 {
      let days = Set(clock.keys.map { $0.prefix(10) }).count
      return clock.sorted { $0.value < $1.value }.prefix(6).map { instant, at in
        let time = days == 1 ? String(instant.dropFirst(11)) : instant.replacing("T", with: " ")
        return Moment(at: at, text: "clock: \(time)")
      }
    }
    guard let first = wins.first, let last = wins.last else { return [] }
    let winner = Moment(
      at: first.endMicroseconds, text: "\(first.seats.joined(separator: ", ")) to \(first.buyer)",
      style: "first")
    return wins.count == 1 ? [winner] : [winner, Moment(at: last.endMicroseconds, text: "last one won")]
  }

  /// Vertical lines, each with its label in a row of its own above the lanes.
  private func momentLines(_ axis: ChartAxis) -> HTML {
    let html = moments.enumerated().map { row, moment in
      let side = axis.position(moment.at) > 0.6 ? " left" : ""
      return """
        <span class="moment \(moment.style)\(side)" style="left:\(axis.percent(moment.at));\
        top:\(row * Self.momentHeight)px"><b>\(moment.text)</b></span>
        """ as HTML
    }
    return "\(html)"
  }

  private var legend: HTML {
    let isOversold = houses.contains { $0.count(.oversold) > 0 }
    let has = { (count: (Race.Bin) -> Int) in race.bins.contains { count($0) > 0 } }
    let entries = [
      ("won", "won", has(\.won)), ("again", "won a seat already sold", isOversold),
      ("held", "held or cancelled", has(\.other)), ("refused", "refused", has(\.refused)),
      ("error", "error", has(\.error)),
    ].filter(\.2)
    return "<ul class=\"legend\">\(entries.map { "<li><i class=\"\($0.0)\"></i>\($0.1)</li>" as HTML })</ul>"
  }

  private func caption(_ lanes: Int) -> String {
    guard race.isSampled else { return "One line for each buyer, from request to answer" }
    return
      "\(Numerals.grouped(race.lanes.count)) of \(Numerals.grouped(race.attempts)) attempts, from request to "
      + "answer: every error, the first and last winner, and an even sample of the rest"
  }
}
