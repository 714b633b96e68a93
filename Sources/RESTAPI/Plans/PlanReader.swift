import Booking
import Vocabulary

/// Reads a seat plan from JSON, so that a fault is named with its place.
///
/// Rows may be written in several ways; the document that comes out has one.
struct PlanReader {
  /// Of the show; a price may name it.
  let currency: Currency?

  func plan(_ node: JSONNode) -> SeatPlan.Document? {
    let categories = node["categories"].ifPresent { $0.array(of: 1...SeatPlan.maximumCategories, category) }
    let sections = sections(node["sections"])
    let focalPoint = node["focal_point"].ifPresent(point)
    guard let categories, let sections, let focalPoint else { return nil }
    return SeatPlan.Document(sections: sections, categories: categories ?? [], focalPoint: focalPoint)
  }

  private func category(_ node: JSONNode) -> SeatPlan.Category? {
    node.requireObject()
    let id = node["id"].identifier(CategoryID.self)
    let name = node["name"].ifPresent { $0.string(length: 1...100) }
    let price = price(node["price"])
    guard let id, let name, let price else { return nil }
    return SeatPlan.Category(id: id, name: name ?? id.rawValue, price: price)
  }

  private func point(_ node: JSONNode) -> SeatPlan.Point? {
    node.requireObject()
    guard let x = coordinate(node["x"]), let y = coordinate(node["y"]) else { return nil }
    return SeatPlan.Point(x: x, y: y)
  }

  private func coordinate(_ node: JSONNode) -> Int? {
    node.integer(SeatPlan.coordinates.int64).map(Int.init)
  }

  private func sections(_ node: JSONNode) -> [SeatPlan.Section]? {
    var sectionIDs: Set<SectionID> = []
    var rowIDs: Set<RowID> = []
    var seats = 0
    let sections = node.array(of: 1...SeatPlan.maximumSections) { node -> SeatPlan.Section? in
      guard let section = section(node, rowIDs: &rowIDs) else { return nil }
      if !sectionIDs.insert(section.id).inserted {
        node["id"].reject("is \(section.id), which another section has")
      }
      seats += section.capacity ?? section.rows.reduce(0) { $0 + $1.seats }
      return section
    }
    if seats > Booking.maximumSeatsPerShow {
      node.reject("has \(seats) seats; a show has at most \(Booking.maximumSeatsPerShow)")
    }
    return sections
  }

  private func section(_ node: JSONNode, rowIDs: inout Set<RowID>) -> SeatPlan.Section? {
    node.requireObject()
    let id = node["id"].identifier(SectionID.self)
    let category = node["category"].ifPresent { $0.identifier(CategoryID.self) }
    // Without a category of its own or of every row it needs one; which of them is said when it is examined.
    let mayHaveNone = node["category"].isPresent || !node["rows"].hasElement { !$0["category"].isPresent }
    let price = mayHaveNone ? node["price"].ifPresent(price) : price(node["price"]).map(Optional.some)
    let x = node["x"].ifPresent(coordinate)
    let y = node["y"].ifPresent(coordinate)
    let capacity = node["capacity"].ifPresent {
      $0.integer(1...Int64(Booking.maximumSeatsPerShow)).map(Int.init)
    }
    let rows: [SeatPlan.Row]?
    if node["capacity"].isPresent, !node["rows"].isPresent {
      rows = []
    } else {
      rows = node["rows"].array(of: 1...Booking.maximumSeatsPerShow) { node -> SeatPlan.Row? in
        guard let row = row(node) else { return nil }
        if !rowIDs.insert(row.id).inserted {
          node["id"].reject("is \(row.id), which another row of the show has")
        }
        return row
      }
    }
    guard let id, let category, let price, let x, let y, let capacity, let rows else { return nil }
    return SeatPlan.Section(
      id: id, price: price, category: category, rows: rows, capacity: capacity, x: x, y: y)
  }

  /// Minor units of the show's currency, or an amount with that currency.
  private func price(_ node: JSONNode) -> Int64? {
    let range = 0...Booking.maximumPrice
    guard node.isObject else { return node.integer(range) }
    let amount = node["amount"].integer(range)
    let own = node["currency"].currency()
    if let own, let currency, own != currency {
      node["currency"].reject("is \(own), but the show's currency is \(currency)")
    }
    return amount
  }

  // MARK: Rows

  private func row(_ node: JSONNode) -> SeatPlan.Row? {
    node.requireObject()
    let id = node["id"].identifier(RowID.self)
    let category = node["category"].ifPresent { $0.identifier(CategoryID.self) }
    let x = node["x"].ifPresent(coordinate)
    let y = node["y"].ifPresent(coordinate)
    let seats = node["seats"].isArray ? listed(node["seats"]) : counted(node)
    guard let id, let category, let x, let y, let seats else { return nil }
    if SeatID("\(id)-\(seats.labels?.max { $0.utf8.count < $1.utf8.count } ?? String(seats.count))") == nil {
      node["id"].reject("is too long for its seats' ids; use 110 characters")
    }
    return SeatPlan.Row(
      id: id, seats: seats.count, labels: seats.labels, places: seats.places, category: category, x: x, y: y,
      special: seats.special.isEmpty ? nil : seats.special)
  }

  private struct Seats {
    var count: Int
    var labels: [String]?
    var places: [Int]?
    var special: [SeatPlan.Special]
  }

  /// `"seats": 20`, with `numbers` or `labels`, `aisles_after` or `places`, and `special`.
  private func counted(_ node: JSONNode) -> Seats? {
    let count = node["seats"].integer(1...Int64(Booking.maximumSeatsPerShow)).map(Int.init)
    let (labels, numbers) = (node["labels"], node["numbers"])
    if labels.isPresent, numbers.isPresent {
      numbers.reject("is given together with labels; use one of them")
    }
    let named: [String]?? =
      numbers.isPresent
      ? self.numbers(numbers, count: count ?? 0).map(Optional.some)
      : labels.ifPresent { $0.array(of: 1...Booking.maximumSeatsPerShow, label) }
    let (places, aisles) = (node["places"], node["aisles_after"])
    if places.isPresent, aisles.isPresent { aisles.reject("is given together with places; use one of them") }
    let placed: [Int]?? =
      aisles.isPresent
      ? self.places(aislesAfter: aisles, count: count ?? 0).map(Optional.some)
      : places.ifPresent { node in
        node.array(of: 1...Booking.maximumSeatsPerShow) { $0.integer(SeatPlan.places.int64).map(Int.init) }
      }
    let special = node["special"].ifPresent { $0.array(of: 1...1_000, self.special) }
    guard let count, let named, let placed, let special else { return nil }
    return Seats(count: count, labels: named, places: placed, special: special ?? [])
  }

  private func label(_ node: JSONNode) -> String? {
    guard let text = node.string(length: SeatPlan.labelLength) else { return nil }
    guard SeatPlan.isLabel(text) else {
      node.reject("is \"\(text)\"; it must be 1 to 16 characters out of A-Z a-z 0-9 . _")
      return nil
    }
    return text
  }

  /// `{"first": 2, "step": 2}`: even numbers; a negative step counts down, for numbers from right to left.
  private func numbers(_ node: JSONNode, count: Int) -> [String]? {
    node.requireObject()
    let first = node["first"].integer(0...1_000_000)
    let step = node["step"].integer(-1_000...1_000, default: 1)
    guard let first, let step else { return nil }
    guard step != 0, first + step * Int64(max(count - 1, 0)) >= 0 else {
      node.reject(
        "leads to \(step == 0 ? "the same number for every seat" : "numbers below 0"); use another step")
      return nil
    }
    return (0..<Int64(count)).map { String(first + step * $0) }
  }

  /// `[4, 12]`: room for one seat after the fourth and the twelfth seat from the left.
  private func places(aislesAfter node: JSONNode, count: Int) -> [Int]? {
    guard let aisles = node.array(of: 1...1_000, { $0.integer(1...10_000).map(Int.init) }) else { return nil }
    let gaps = Set(aisles)
    var place = 0
    let places = (0..<count).map { offset in
      place += gaps.contains(offset) ? 2 : 1
      return place
    }
    guard place <= SeatPlan.places.upperBound else {
      node.reject(
        "leads beyond place \(SeatPlan.places.upperBound), the last one of a row; make two rows of it")
      return nil
    }
    return places
  }

  private func special(_ node: JSONNode) -> SeatPlan.Special? {
    node.requireObject()
    let seats = node["seats"].array(of: 1...Booking.maximumSeatsPerShow, label)
    let about = about(node)
    guard let seats, var about else { return nil }
    about.seats = seats
    return about
  }

  /// What is special about a seat, without saying which.
  private func about(_ node: JSONNode) -> SeatPlan.Special? {
    let category = node["category"].ifPresent { $0.identifier(CategoryID.self) }
    let kind = node["kind"].ifPresent { $0.choice(SeatPlan.Kind.self) }
    let blocked = node["blocked"].boolean(default: false)
    guard let category, let kind, let blocked else { return nil }
    return SeatPlan.Special(seats: [], category: category, kind: kind, blocked: blocked ? true : nil)
  }

  /// `"seats": ["1", "3", {"label": "5", "place": 4, "kind": "wheelchair"}]`, from left to right.
  private func listed(_ node: JSONNode) -> Seats? {
    var last = 0
    var special: [SeatPlan.Special] = []
    let seats = node.array(of: 1...Booking.maximumSeatsPerShow) { node -> (label: String, place: Int)? in
      guard node.isObject else {
        last += 1
        return label(node).map { ($0, last) }
      }
      let label = label(node["label"])
      let place = node["place"].integer(SeatPlan.places.int64, default: Int64(last + 1)).map(Int.init)
      let about = about(node)
      guard let label, let place, var about else { return nil }
      last = place
      if about != SeatPlan.Special(seats: []) {
        about.seats = [label]
        special.append(about)
      }
      return (label, place)
    }
    guard let seats else { return nil }
    let places = seats.map(\.place)
    return Seats(
      count: seats.count, labels: seats.map(\.label), places: places == Array(1...seats.count) ? nil : places,
      special: special)
  }
}

extension Problem {
  /// Points at what is wrong with a plan.
  func pointing(into plan: SeatPlan.Document) -> Problem {
    let faults = SeatPlan.examine(plan).issues.filter { $0.severity == .error }.prefix(50)
      .map { Fault(.pointer($0.place), $0.message) }
    return faults.isEmpty ? self : with { $0.errors = faults }
  }
}
