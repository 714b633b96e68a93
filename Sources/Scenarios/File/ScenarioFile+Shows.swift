import Booking
import Vocabulary

extension ValueReader {
  /// The `shows` section; nil if none can be used.
  func shows(_ clock: ScenarioClock?) -> [ShowOnSale]? {
    var seen: Set<ShowID> = []
    let shows = list(of: "shows").compactMap { entry -> ShowOnSale? in
      guard let show = entry.show(clock) else { return nil }
      if !seen.insert(show.id).inserted { entry.fail("the show \(show.id) is there twice") }
      return show
    }
    return shows.isEmpty ? nil : shows
  }

  private func show(_ clock: ScenarioClock?) -> ShowOnSale? {
    let keys = [
      "id", "title", "starts_at", "currency", "tax", "hold_ttl", "sections", "already_sold",
      "focal_point", "orphans", "seats_per_buyer", "hold_lifetime", "offers_last", "categories",
      "called_off_at", "waiting_room",
    ]
    guard let section = section("a show", keys: keys) else { return nil }
    let id = section.required("id", example: "the-tempest")?.identifier(ShowID.self)
    let title = section.required("title", example: "The Tempest")?.text("a title")
    let startsAt = section.required("starts_at", example: "2026-11-24T19:30:00+01:00")?.instant()
    let currency = section.required("currency", example: "EUR")?
      .parsed("an ISO 4217 currency as in EUR") { Currency($0) }
    let tax = section.required("tax", example: "7%")?.parsed("a tax from 0% to 100%", ScenarioText.percent)
    let ttl = section.required("hold_ttl", example: "10m")?.holdTTL()
    let categories = section.optional("categories").map { $0.categories(of: currency) } ?? []
    let sections = section.required("sections", example: "[{id: stalls, price: 45.00, rows: {A: 20}}]")?
      .sections(of: currency, categories: (categories ?? []).map(\.id))
    let policy = section.policy()
    let room = section.optional("waiting_room").map { $0.waitingRoom() }
    let focalPoint = section.optional("focal_point").map { $0.focalPoint() }
    guard let id, let title, let startsAt, let currency, let tax, let ttl, let sections, let policy,
      let categories
    else {
      return nil
    }
    if let focalPoint, focalPoint == nil { return nil }
    if let room, room == nil { return nil }

    var show = ShowOnSale(
      id: id, title: title, startsAt: startsAt, currency: currency, taxBasisPoints: tax, holdTTL: ttl,
      sections: sections, alreadySold: .nothing, focalPoint: focalPoint ?? nil, policy: policy,
      categories: categories, waitingRoom: room ?? nil)
    guard (1...100_000).contains(show.totalSeats) else {
      fail("has \(show.totalSeats) seats; a show has from 1 to 100000")
      return nil
    }
    if let entry = section.optional("called_off_at"), let clock {
      guard let instant = entry.instant(countedFrom: clock.startsAt) else { return nil }
      guard instant >= clock.startsAt else {
        entry.fail("is before the scenario's start, \(clock.startsAt.rfc3339)")
        return nil
      }
      show.calledOffAt = instant
    }
    if let sold = section.optional("already_sold") {
      if policy.orphans == .forbidden {
        sold.fail("is given together with `orphans: forbidden`, which would not let these seats be sold")
      }
      show.alreadySold = sold.alreadySold(in: show) ?? .nothing
    }
    return show
  }

  private func holdTTL() -> Duration? {
    guard let ttl = duration() else { return nil }
    guard ttl >= .seconds(1), ttl <= .seconds(86_400) else {
      fail("must be from 1s to 24h, not \(shown)")
      return nil
    }
    return ttl
  }

  /// `{premium: 120.00, standard: 60.00}`
  private func categories(of currency: Currency?) -> [SeatPlan.Category]? {
    guard let mapping = node.mapping, !mapping.isEmpty else {
      fail("must be categories with their prices, as in {premium: 120.00, standard: 60.00}, not \(shown)")
      return nil
    }
    let categories = mapping.compactMap { key, value -> SeatPlan.Category? in
      let name = key.scalar?.string ?? ""
      let reader = ValueReader(node: value, path: "\(path).\(name)", problems: problems)
      guard let id = CategoryID(name) else {
        reader.fail("the category's name must be 1 to 128 letters, digits and . _ : -")
        return nil
      }
      return reader.price(in: currency).map { SeatPlan.Category(id: id, name: name, price: $0) }
    }
    return categories.count == mapping.count ? categories : nil
  }

  /// One of the show's categories.
  private func category(among known: [CategoryID]) -> CategoryID? {
    guard let id = identifier(CategoryID.self) else { return nil }
    if known.contains(id) { return id }
    let names = known.map(\.rawValue)
    let hint = Suggestion.nearest(to: id.rawValue, among: names).map { "; did you mean \($0)?" } ?? ""
    fail(
      names.isEmpty
        ? "there is no category \(id); the show has no key categories"
        : "there is no category \(id); the show has \(names.joined(separator: ", "))\(hint)")
    return nil
  }

  private func sections(of currency: Currency?, categories: [CategoryID]) -> [ShowOnSale.Section]? {
    var sectionIDs: Set<SectionID> = []
    var rowIDs: Set<String> = []
    let entries = list(of: "sections", limit: 1_000)
    let sections = entries.compactMap { entry -> ShowOnSale.Section? in
      guard let section = entry.section("a section", keys: ["id", "price", "category", "rows", "capacity"])
      else { return nil }
      let id = section.required("id", example: "stalls")?.identifier(SectionID.self)
      let category = section.optional("category").map { $0.category(among: categories) }
      // Where there are categories, a price is only needed for seats without one.
      let price =
        categories.isEmpty
        ? section.required("price", example: "45.00").map { $0.price(in: currency) }
        : .some(section.optional("price").flatMap { $0.price(in: currency) })
      let capacity = section.optional("capacity")
      if let capacity, section.optional("rows") != nil {
        capacity.fail("is given together with rows; a section has seats or places to stand")
      }
      let standing = capacity.map { $0.number("a number of places", in: 1...100_000) }
      let rows = standing == nil ? section.required("rows", example: "{A: 20, B: 20}")?.rows(categories) : []
      guard let id, let price, let rows else { return nil }
      if categories.isEmpty, price == nil { return nil }
      if let category, category == nil { return nil }
      if price == nil, category == nil, standing != nil || rows.contains(where: { $0.category == nil }) {
        entry.fail("needs a price or a category, since not all of its rows have a category")
        return nil
      }
      if let standing {
        guard let standing else { return nil }
        guard rowIDs.insert(id.rawValue).inserted, sectionIDs.insert(id).inserted else {
          entry.fail("the section \(id) is called like another section or row")
          return nil
        }
        return ShowOnSale.Section(
          id: id, price: price, rows: [], capacity: standing, category: category ?? nil)
      }
      if !sectionIDs.insert(id).inserted { entry.fail("the section \(id) is there twice") }
      for row in rows where !rowIDs.insert(row.id).inserted {
        section.optional("rows")?.fail(
          "the row \(row.id) is in this show already; row names are unique in a show")
      }
      return ShowOnSale.Section(id: id, price: price, rows: rows, category: category ?? nil)
    }
    return sections.count == entries.count && !sections.isEmpty ? sections : nil
  }

  private func price(in currency: Currency?) -> Int64? {
    guard let currency else { return nil }
    let decimals = currency.exponent == 0 ? "no decimals" : "at most \(currency.exponent) decimals"
    return parsed("a price in \(currency.code) with \(decimals) and without a sign") {
      ScenarioText.decimal($0, exponent: currency.exponent)
    }
  }

  /// `{A: 20, B: 22}`, or `A to T, 25 seats each`.
  private func rows(_ categories: [CategoryID]) -> [ShowOnSale.Row]? {
    guard let mapping = node.mapping else {
      return parsed("rows as in {A: 20, B: 22} or \"A to T, 25 seats each\"", ScenarioText.rows)
    }
    guard !mapping.isEmpty else {
      fail("has no rows; it must be as in {A: 20, B: 22}")
      return nil
    }
    let rows = mapping.compactMap { key, value -> ShowOnSale.Row? in
      let id = key.scalar?.string ?? ""
      let reader = ValueReader(node: value, path: "\(path).\(id)", problems: problems)
      // A row's name is part of its seats' ids.
      guard SeatID(id) != nil, id.count <= 32 else {
        reader.fail("the row's name must be 1 to 32 letters, digits and . _ : -")
        return nil
      }
      return reader.row(id, categories)
    }
    return rows.count == mapping.count ? rows : nil
  }

  /// `20`, or `{seats: 20, aisles_after: [10], category: premium, wheelchair: [1], companion: [2]}`.
  private func row(_ id: String, _ categories: [CategoryID]) -> ShowOnSale.Row? {
    guard node.mapping != nil else {
      return number("a number of seats", in: 1...1_000).map { ShowOnSale.Row(id: id, seats: $0) }
    }
    guard
      let section = section("a row", keys: ["seats", "aisles_after", "category", "wheelchair", "companion"]),
      let seats = section.required("seats", example: "20")?.number("a number of seats", in: 1...1_000)
    else { return nil }
    let entries = section.optional("aisles_after")?.list(of: "numbers of seats", orSingle: true) ?? []
    let aisles = entries.compactMap { $0.number("a seat of the row but the last", in: 1...max(seats - 1, 1)) }
    guard aisles.count == entries.count else { return nil }
    let category = section.optional("category").map { $0.category(among: categories) }
    if let category, category == nil { return nil }
    var row = ShowOnSale.Row(
      id: id, seats: seats, aislesAfter: Set(aisles).sorted(), category: category ?? nil)
    for (key, path) in [("wheelchair", \ShowOnSale.Row.wheelchair), ("companion", \.companion)] {
      guard let entry = section.optional(key) else { continue }
      let entries = entry.list(of: "numbers of seats", orSingle: true)
      let numbers = entries.compactMap { $0.number("a seat of the row", in: 1...seats) }
      guard numbers.count == entries.count else { return nil }
      row[keyPath: path] = Set(numbers).sorted()
    }
    if let both = row.wheelchair.first(where: row.companion.contains) {
      section.optional("companion")?.fail("has the seat \(both), which is a wheelchair place already")
      return nil
    }
    return row
  }

  /// `{x: 0, y: -100}`, in hundredths of a seat's width.
  fileprivate func focalPoint() -> SeatPlan.Point? {
    guard let section = section("a point", keys: ["x", "y"]),
      let x = section.required("x", example: "0")?.number(in: SeatPlan.coordinates),
      let y = section.required("y", example: "0")?.number(in: SeatPlan.coordinates)
    else { return nil }
    return SeatPlan.Point(x: x, y: y)
  }

  /// `nothing`, `all but 1`, `all but F-7`, `[A-1, A-2]`.
  private func alreadySold(in show: ShowOnSale) -> ShowOnSale.AlreadySold? {
    if node.sequence != nil { return seats(in: show).map { .seats($0) } }
    let format = "`nothing`, `all but 1`, `all but F-7` or a list of seats"
    guard let text = parsed(format, { $0 }) else { return nil }
    if text == "nothing" { return .nothing }
    guard text.hasPrefix("all but ") else {
      fail("must be \(format), not \(shown)")
      return nil
    }
    let rest = text.dropFirst("all but ".count).trimmed
    if let count = Int(rest) {
      guard (0...show.totalSeats).contains(count) else {
        fail("leaves \(count) seats free, but the show has \(show.totalSeats)")
        return nil
      }
      return .allBut(count)
    }
    let ids = Set(show.seatIDs)
    let free = rest.split { $0 == "," || $0 == " " }.map { SeatID(unchecked: String($0)) }
    if let unknown = free.first(where: { !ids.contains($0) }) {
      fail("names the seat \(unknown), which \(show.id) does not have")
      return nil
    }
    return .allExcept(free)
  }

  /// One seat or a list of seats, each of which the show has, none twice.
  func seats(in show: ShowOnSale) -> [SeatID]? {
    let ids = Set(show.seatIDs)
    var seen: Set<SeatID> = []
    let entries = list(of: "seats", orSingle: true, limit: 100_000)
    let seats = entries.compactMap { entry -> SeatID? in
      guard let seat = entry.identifier(SeatID.self) else { return nil }
      guard ids.contains(seat) else {
        let example = show.seatIDs.first.map(\.rawValue) ?? ""
        entry.fail("the show \(show.id) has no seat \(seat); a seat is its row and number, as in \(example)")
        return nil
      }
      guard seen.insert(seat).inserted else {
        entry.fail("the seat \(seat) is there twice")
        return nil
      }
      return seat
    }
    return seats.count == entries.count && !seats.isEmpty ? seats : nil
  }
}
