import Booking
import Services
import Vocabulary

/// A seat plan as SVG, seen from above with the stage at the top.
public struct PlanPicture {
  private let plan: SeatPlan
  private let title: String
  private let currency: Currency?
  private let taken: [SeatID: TakenSeat.State]
  private let sections: [(section: SeatPlan.Section, groups: [SeatPlan.PlaceGroup])]

  /// Above this many, seats are drawn as one shape for each colour: a hundred thousand of them with names would be
  /// 20 MB.
  static let namedSeats = 5_000

  private static let colours = [
    "#2f6fde", "#d9822b", "#2e9e5b", "#8e5bd0", "#c23b5e", "#128c9c", "#97811c", "#6b7280",
  ]

  /// - Parameter taken: the seats that somebody has; none for the plan alone.
  public init(_ plan: SeatPlan, title: String, currency: Currency?, taken: [SeatID: TakenSeat.State] = [:]) {
    self.plan = plan
    self.title = title
    self.currency = currency
    self.taken = taken
    sections = plan.placeGroups()
  }

  public var svg: String {
    let bounds = bounds
    let width = max(bounds.right - bounds.left, 1_200)
    let left = bounds.left - (width - (bounds.right - bounds.left)) / 2
    let legend = legend(left: left, top: bounds.bottom + 160)
    let height = bounds.bottom - bounds.top + 260 + 150 * legend.lines
    let seats = plan.totalSeats <= Self.namedSeats ? namedSeats : shapes
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="\(left) \(bounds.top) \(width) \(height)" \
      width="\(min(max(width / 4, 480), 4_000))" font-family="system-ui, sans-serif" role="img">
      <title>\(Self.escaped(title))</title>
      <style>\(Self.style)</style>
      <rect x="\(left)" y="\(bounds.top)" width="\(width)" height="\(height)" fill="#fff"/>
      \(stage(left: left, width: width, top: bounds.top))
      \(names)
      \(seats)
      \(legend.svg)
      </svg>

      """
  }

  private static let style = """
    text{fill:#1f2937;text-anchor:middle}.n{font-size:34px;fill:#fff}.r{font-size:44px;fill:#6b7280}\
    .s{font-size:64px;font-weight:600}.l{font-size:56px;text-anchor:start}.held{opacity:.45}.booked{opacity:.16}\
    .blocked{fill:none;stroke:#9ca3af;stroke-width:6}
    """

  // MARK: Where things are

  private var bounds: (left: Int, right: Int, top: Int, bottom: Int) {
    let points = sections.flatMap(\.groups).flatMap { group in
      group.isStanding ? Array(group.places.prefix(1)) : group.places
    }.map(\.point)
    let focus = plan.document.focalPoint.map { [$0] } ?? []
    let (x, y) = ((points + focus).map(\.x), (points + focus).map(\.y))
    return ((x.min() ?? 0) - 260, (x.max() ?? 0) + 260, (y.min() ?? 0) - 340, (y.max() ?? 0) + 120)
  }

  private func stage(left: Int, width: Int, top: Int) -> String {
    let (from, to) = (left + width / 5, left + width * 4 / 5)
    return """
      <path d="M\(from) \(top + 60)Q\((from + to) / 2) \(top + 170) \(to) \(top + 60)" fill="none" stroke="#6b7280" \
      stroke-width="12"/><text class="r" x="\((from + to) / 2)" y="\(top + 80)">stage</text>
      """
  }

  /// Of sections above their first row, of rows left of their first seat.
  private var names: String {
    sections.map { section, groups in
      let points = groups.flatMap(\.places).map(\.point)
      let middle = ((points.map(\.x).min() ?? 0) + (points.map(\.x).max() ?? 0)) / 2
      let top = (points.map(\.y).min() ?? 0) - 75
      let head = "<text class=\"s\" x=\"\(middle)\" y=\"\(top)\">\(Self.escaped(section.id.rawValue))</text>"
      let rows = groups.filter { !$0.isStanding }.compactMap { group in
        group.places.first.map { first in
          """
          <text class="r" x="\(first.point.x - 90)" y="\(first.point.y + 15)" text-anchor="end">\
          \(Self.escaped(group.name))</text>
          """
        }
      }
      return ([head] + rows).joined()
    }.joined(separator: "\n")
  }

  // MARK: Seats

  private func state(of place: SeatPlan.Place) -> String {
    if place.isBlocked { return "blocked" }
    return taken[place.id]?.rawValue ?? "available"
  }

  private func colour(of place: SeatPlan.Place) -> String { colour(of: place.category) }

  private func colour(of category: CategoryID?) -> String {
    let number = plan.document.categories.firstIndex { $0.id == category }
    return Self.colours[(number.map { $0 + 1 } ?? 0) % Self.colours.count]
  }

  private var namedSeats: String {
    sections.flatMap(\.groups).map { group in
      group.isStanding ? standing(group) : group.places.map(seat).joined()
    }.joined(separator: "\n")
  }

  private func seat(_ place: SeatPlan.Place) -> String {
    let (x, y) = (place.point.x, place.point.y)
    let state = state(of: place)
    let paint = state == "blocked" ? "class=\"blocked\"" : "class=\"\(state)\" fill=\"\(colour(of: place))\""
    let tip =
      "<title>\(place.id): \(place.kind == .ordinary ? "" : "\(place.kind.rawValue), ")\(state)</title>"
    let label = place.id.rawValue.split(separator: "-").last.map(String.init) ?? ""
    let shape =
      place.kind == .wheelchair
      ? "<circle \(paint) cx=\"\(x)\" cy=\"\(y)\" r=\"42\">\(tip)</circle>"
      : """
      <rect \(paint) x="\(x - 40)" y="\(y - 40)" width="80" height="80" rx="\(place.kind == .companion ? 36 : 14)">\
      \(tip)</rect>
      """
    guard state == "available" else { return shape }
    let mark = place.kind == .wheelchair ? "♿" : label
    return shape + "<text class=\"n\" x=\"\(x)\" y=\"\(y + 12)\">\(mark)</text>"
  }

  private func standing(_ group: SeatPlan.PlaceGroup) -> String {
    guard let first = group.places.first else { return "" }
    let free = group.places.count { state(of: $0) == "available" }
    let (x, y) = (first.point.x, first.point.y)
    return """
      <rect x="\(x - 400)" y="\(y - 45)" width="800" height="90" rx="14" fill="\(colour(of: first))"/>\
      <text class="n" x="\(x)" y="\(y + 12)">\(free) of \(group.places.count) places free</text>
      """
  }

  /// One path for all seats of a colour and state.
  private var shapes: String {
    var paths: [String: String] = [:]
    var others: [String] = []
    for group in sections.flatMap(\.groups) {
      if group.isStanding {
        others.append(standing(group))
        continue
      }
      for place in group.places {
        let state = state(of: place)
        let paint =
          state == "blocked" ? "class=\"blocked\"" : "class=\"\(state)\" fill=\"\(colour(of: place))\""
        paths[paint, default: ""] += "M\(place.point.x - 40) \(place.point.y - 40)h80v80h-80z"
      }
    }
    return (paths.sorted { $0.key < $1.key }.map { "<path \($0.key) d=\"\($0.value)\"/>" } + others)
      .joined(separator: "\n")
  }

  // MARK: Legend

  private func legend(left: Int, top: Int) -> (svg: String, lines: Int) {
    var entries: [(paint: String, text: String)] = []
    for section in plan.sections {
      guard let price = section.price, section.category == nil else { continue }
      entries.append(("fill=\"\(colour(of: nil))\"", "\(section.id) \(money(price))"))
    }
    for category in plan.document.categories {
      entries.append(("fill=\"\(colour(of: category.id))\"", "\(category.name) \(money(category.price))"))
    }
    let shown = entries.prefix(60)
    let states: [(paint: String, text: String)] = [
      ("class=\"held\" fill=\"\(Self.colours[0])\"", "held"),
      ("class=\"booked\" fill=\"\(Self.colours[0])\"", "booked"), ("class=\"blocked\"", "not for sale"),
    ]
    let all = shown + (taken.isEmpty ? states.suffix(1) : states)
    let svg = all.enumerated().map { number, entry in
      let y = top + 90 * number
      return """
        <rect \(entry.paint) x="\(left + 80)" y="\(y - 40)" width="60" height="60" rx="12"/>\
        <text class="l" x="\(left + 170)" y="\(y + 12)">\(Self.escaped(entry.text))</text>
        """
    }.joined(separator: "\n")
    return (svg, (all.count * 90 + 149) / 150)
  }

  private func money(_ minorUnits: Int64) -> String {
    guard let currency else { return "\(minorUnits)" }
    return Money(minorUnits, currency).formatted
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
