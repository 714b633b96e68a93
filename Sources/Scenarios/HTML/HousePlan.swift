/// The seats of a show as a picture, seen from above with the stage at the top.
struct HousePlan {
  /// More seats than this are summed up by row: a picture of them would be large and say no more.
  static let seatLimit = 2_500

  let house: House

  var html: HTML {
    """
    <figure class="house">
      <figcaption><strong>\(house.title)</strong> <span>\(summary)</span></figcaption>
      \(house.seatCount <= Self.seatLimit ? picture : table)
      \(legend)
    </figure>
    """
  }

  private var summary: String {
    let named: [(House.State, String)] = [
      (.soldBefore, "sold before"), (.sold, "sold in this run"), (.oversold, "sold more than once"),
      (.held, "held"),
      (.free, "free"),
    ]
    return named.map { (house.count($0.0), $0.1) }.filter { $0.0 > 0 }
      .map { "\(Numerals.grouped($0.0)) \($0.1)" }.joined(separator: ", ")
  }

  private static let pitch = 14
  private static let margin = 26

  private var picture: HTML {
    let longest = house.sections.flatMap(\.rows).map(\.seats.count).max() ?? 1
    let width = longest * Self.pitch + 2 * Self.margin
    var y = 34
    var body: [HTML] = []
    for section in house.sections {
      body.append(
        """
        <text class="section" x="\(width / 2)" y="\(y + 4)">\(section.id) · \(section.price)</text>
        """)
      y += 12
      for row in section.rows {
        let left = Self.margin + (longest - row.seats.count) * Self.pitch / 2
        body.append("<text class=\"row\" x=\"\(left - 10)\" y=\"\(y + 9)\">\(row.id)</text>")
        body += row.seats.enumerated().map { index, seat in
          self.seat(seat, id: "\(row.id)-\(index + 1)", x: left + index * Self.pitch, y: y)
        }
        y += Self.pitch
      }
      y += 18
    }
    return """
      <svg viewBox="0 0 \(width) \(y)" role="img" aria-label="Seat plan: \(summary)" style="max-width:\(width * 3 / 2)px">
      <path class="stage" d="M\(width / 5) 6Q\(width / 2) 22 \(width * 4 / 5) 6"/>
      <text class="section" x="\(width / 2)" y="9">stage</text>
      \(body)</svg>
      """
  }

  private func seat(_ seat: House.Seat, id: String, x: Int, y: Int) -> HTML {
    var title = "\(id): \(seat.state.rawValue.replacing("-", with: " "))"
    if !seat.buyers.isEmpty { title += " to " + seat.buyers.prefix(5).joined(separator: ", ") }
    if seat.buyers.count > 5 { title += " and \(seat.buyers.count - 5) more" }
    if let at = seat.soldAtMicroseconds { title += " at \(Numerals.duration(microseconds: at))" }
    let count: HTML =
      seat.state == .oversold
      ? "<text class=\"times\" x=\"\(x + 5)\" y=\"\(y + 8)\">\(min(seat.buyers.count, 99))</text>" : ""
    // Only seats with something to tell get a tooltip; thousands of them would double the file.
    let tip: HTML = seat.state == .soldBefore ? "" : "<title>\(title)</title>"
    return """
      <g class="seat \(seat.state.rawValue)"><rect x="\(x)" y="\(y)" width="11" height="11" rx="2.5"\(shade(seat))>\(tip)</rect>\
      \(count)</g>
      """
  }

  /// The sooner sold, the stronger the colour.
  private func shade(_ seat: House.Seat) -> HTML {
    guard seat.state == .sold, let at = seat.soldAtMicroseconds, let span = soldSpan,
      span.upperBound > span.lowerBound
    else { return "" }
    let share = Double(at - span.lowerBound) / Double(span.upperBound - span.lowerBound)
    return " style=\"fill-opacity:\(ChartAxis.decimal(1 - 0.68 * share))\""
  }

  private var soldSpan: ClosedRange<Int64>? {
    let times = house.sections.flatMap(\.rows).flatMap(\.seats).compactMap(\.soldAtMicroseconds)
    guard let first = times.min(), let last = times.max() else { return nil }
    return first...last
  }

  /// For a house too large for a picture.
  private var table: HTML {
    let rows = house.sections.map { section in
      let seats = section.rows.flatMap(\.seats)
      let cells = House.State.allCases.map { state in
        "<td>\(Numerals.grouped(seats.count { $0.state == state }))</td>" as HTML
      }
      return "<tr><th scope=\"row\">\(section.id)</th>\(cells)</tr>" as HTML
    }
    let heads = House.State.allCases.map {
      "<th scope=\"col\">\($0.rawValue.replacing("-", with: " "))</th>" as HTML
    }
    return """
      <p>\(Numerals.grouped(house.seatCount)) seats are too many for a picture; here they are by section.</p>
      <div class="scroll"><table class="numbers"><thead><tr><th scope="col">section</th>\(heads)</tr></thead>
      <tbody>\(rows)</tbody></table></div>
      """
  }

  private var legend: HTML {
    let names: [(House.State, String)] = [
      (.soldBefore, "sold before the run"), (.sold, "sold (first strong, last pale)"),
      (.oversold, "sold more than once"), (.held, "held"), (.free, "free"),
    ]
    let one = house.count(.sold) == 1
    let entries = names.filter { house.count($0.0) > 0 }.map { state, name in
      "<li><i class=\"\(state.rawValue)\"></i>\(one && state == .sold ? "sold in this run" : name)</li>"
        as HTML
    }
    return "<ul class=\"legend\">\(entries)</ul>"
  }
}
