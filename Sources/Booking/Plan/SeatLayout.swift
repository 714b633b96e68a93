import Vocabulary

/// Puts the seats of a valid document into the flat arrays of a plan.
struct SeatLayout {
  private(set) var rows: [SeatPlan.PlacedRow] = []
  private(set) var blocks: [SeatPlan.Block] = []
  private(set) var blockOfSeat: [Int32] = []
  private(set) var blocksOfSection: [SectionID: Range<Int>] = [:]
  private(set) var prices: [Int64] = []
  private(set) var priceOfSeat: [Int32] = []
  private(set) var categoryNumbers: [CategoryID: Int32] = [:]
  private(set) var blocked = SeatSet()
  private(set) var wheelchair = SeatSet()
  private(set) var companion = SeatSet()
  private(set) var rowNumbers: [String: Int] = [:]
  /// Where each seat is, by seat index.
  private(set) var points: [SeatPlan.Point] = []
  private let document: SeatPlan.Document

  init(_ document: SeatPlan.Document) {
    self.document = document
    for category in document.categories {
      categoryNumbers[category.id] = Int32(prices.count)
      prices.append(category.price)
    }
  }

  mutating func placeAll() {
    for (number, section) in document.sections.enumerated() {
      let first = blocks.count
      let price = priceNumber(of: section)
      if let capacity = section.capacity {
        place(section, standing: capacity, price: price, section: number)
      } else {
        for row in section.rows { place(row, price: price, section: number) }
      }
      blocksOfSection[section.id] = first..<blocks.count
    }
  }

  private mutating func priceNumber(of section: SeatPlan.Section) -> Int32 {
    if let number = section.category.flatMap({ categoryNumbers[$0] }) { return number }
    prices.append(section.price ?? 0)
    return Int32(prices.count - 1)
  }

  /// Rows lie behind each other, and there is room for one between sections.
  private func defaultY(section: Int) -> Int { 100 * (rows.count + section) }

  private mutating func place(
    _ section: SeatPlan.Section, standing capacity: Int, price: Int32, section number: Int
  ) {
    let point = SeatPlan.Point(x: section.x ?? 0, y: section.y ?? defaultY(section: number))
    let seats = blockOfSeat.count..<blockOfSeat.count + capacity
    blockOfSeat.append(contentsOf: repeatElement(Int32(blocks.count), count: capacity))
    priceOfSeat.append(contentsOf: repeatElement(price, count: capacity))
    points.append(contentsOf: repeatElement(point, count: capacity))
    blocks.append(.init(seats: seats, row: rows.count, isStanding: true))
    rowNumbers[section.id.rawValue] = rows.count
    rows.append(
      .init(name: section.id.rawValue, seats: seats, section: number, isStanding: true, labels: nil))
  }

  private mutating func place(_ row: SeatPlan.Row, price: Int32, section: Int) {
    let first = blockOfSeat.count
    let y = row.y ?? defaultY(section: section)
    let places = row.places
    let ends = (places?.first ?? 1) + (places?.last ?? row.seats)
    var start = first
    for offset in 0..<row.seats {
      let place = places?[offset] ?? offset + 1
      if let places, offset > 0, place != places[offset - 1] + 1 {
        blocks.append(.init(seats: start..<first + offset, row: rows.count, isStanding: false))
        start = first + offset
      }
      blockOfSeat.append(Int32(blocks.count))
      points.append(.init(x: row.x.map { $0 + 100 * (place - 1) } ?? 100 * place - 50 * ends, y: y))
    }
    blocks.append(.init(seats: start..<first + row.seats, row: rows.count, isStanding: false))

    let own = row.category.flatMap { categoryNumbers[$0] } ?? price
    priceOfSeat.append(contentsOf: repeatElement(own, count: row.seats))
    let labels = row.labels.map { labels in
      SeatPlan.Labels(
        all: labels,
        offsets: Dictionary(zip(labels, labels.indices), uniquingKeysWith: { earlier, _ in earlier }))
    }
    for special in row.special ?? [] { mark(special, first: first, labels) }
    rowNumbers[row.id.rawValue] = rows.count
    rows.append(
      .init(
        name: row.id.rawValue, seats: first..<first + row.seats, section: section, isStanding: false,
        labels: labels))
  }

  private mutating func mark(_ special: SeatPlan.Special, first: Int, _ labels: SeatPlan.Labels?) {
    for label in special.seats {
      guard let offset = labels.map({ $0.offsets[label] }) ?? Int(label).map({ $0 - 1 }) else { continue }
      let seat = first + offset
      if let price = special.category.flatMap({ categoryNumbers[$0] }) { priceOfSeat[seat] = price }
      if special.blocked == true { blocked.insert(seat) }
      // Of a seat that is listed twice the last entry counts.
      guard let kind = special.kind else { continue }
      if kind == .wheelchair { wheelchair.insert(seat) } else { wheelchair.remove(seat) }
      if kind == .companion { companion.insert(seat) } else { companion.remove(seat) }
    }
  }
}
