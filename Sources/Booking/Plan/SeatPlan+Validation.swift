import Vocabulary

extension SeatPlan {
  /// How many price categories a plan may have.
  public static let maximumCategories = 50
  /// How many sections a plan may have.
  public static let maximumSections = 10_000
  /// How far from the origin anything may be, either way, in hundredths of a seat's width.
  public static let coordinates = -1_000_000...1_000_000
  /// The places that seats of a row may stand at.
  public static let places = 1...10_000
  /// How many characters a seat's label may have.
  public static let labelLength = 1...16

  /// Everything that is wrong with a document, and what should be looked at.
  public static func examine(_ document: Document) -> Report { examine(document, warns: true) }

  /// - Parameter warns: whether what is only odd is looked for, which takes a look at every seat.
  static func examine(_ document: Document, warns: Bool) -> Report {
    var examination = Examination(warns: warns)
    examination.run(document)
    return examination.report
  }

  private struct Examination {
    var report = Report()
    private let warns: Bool
    private var sectionIDs: Set<SectionID> = []
    private var rowNames: Set<String> = []
    private var categories: Set<CategoryID> = []
    private var used: Set<CategoryID> = []
    private var seats = 0

    init(warns: Bool) { self.warns = warns }

    mutating func run(_ document: Document) {
      categoriesAreSound(document.categories)
      for (number, section) in document.sections.enumerated() {
        examine(section, at: "/sections/\(number)")
      }
      if document.sections.isEmpty {
        report.add(.error, "/sections", "The plan has no seats; give it a section with a row of at least one")
      }
      if document.sections.count > maximumSections {
        report.add(
          .error, "/sections",
          "The plan has \(document.sections.count) sections; use at most \(maximumSections)")
      }
      if seats > Booking.maximumSeatsPerShow {
        report.add(
          .error, "/sections",
          "The plan has \(seats) seats; a show has at most \(Booking.maximumSeatsPerShow), split it into two")
      }
      if let point = document.focalPoint { isNear(point.x, point.y, "The focal point", "/focal_point") }
      guard warns else { return }
      for (number, category) in document.categories.enumerated() where !used.contains(category.id) {
        report.add(
          .warning, "/categories/\(number)",
          "No seat has the category \(category.id); give it to a section, a row or seats, or leave it out")
      }
    }

    private mutating func categoriesAreSound(_ list: [Category]) {
      if list.count > maximumCategories {
        report.add(
          .error, "/categories", "The plan has \(list.count) categories; use at most \(maximumCategories)")
      }
      for (number, category) in list.enumerated() {
        let place = "/categories/\(number)"
        if !categories.insert(category.id).inserted {
          report.add(
            .error, place, "Category \(category.id) is listed twice; category ids are unique in a show")
        }
        if !(1...100).contains(category.name.count) {
          report.add(
            .error, place,
            "Category \(category.id) has a name of \(category.name.count) characters; use 1 to 100")
        }
        isPayable(category.price, "Category \(category.id)", place)
      }
    }

    private mutating func examine(_ section: Section, at place: String) {
      if !sectionIDs.insert(section.id).inserted {
        report.add(
          .error, place, "Section \(section.id) is listed twice; section ids are unique in a show")
      }
      if let price = section.price { isPayable(price, "Section \(section.id)", place) }
      if let category = section.category { exists(category, "Section \(section.id)", place) }
      if section.price != nil, section.category != nil {
        report.add(
          .error, place,
          "Section \(section.id) has a price and a category; leave one of them out: a category has its own price"
        )
      }
      if let capacity = section.capacity {
        examine(section, standing: capacity, at: place)
        return
      }
      if section.rows.isEmpty {
        report.add(
          .error, place, "Section \(section.id) has no rows; give it one or a capacity, or leave it out")
      }
      let needsOwnPrice = section.price == nil && section.category == nil
      for (number, row) in section.rows.enumerated() {
        if needsOwnPrice, row.category == nil {
          report.add(
            .error, place,
            "Section \(section.id) has no price, and row \(row.id) no category; give one of them either")
        }
        examine(row, at: "\(place)/rows/\(number)")
      }
    }

    private mutating func examine(_ section: Section, standing capacity: Int, at place: String) {
      if !section.rows.isEmpty {
        report.add(
          .error, place,
          "Section \(section.id) has rows and a capacity; leave out the capacity, or make two sections of it")
      }
      if section.price == nil, section.category == nil {
        report.add(.error, place, "Section \(section.id) has no price; give it one, or a category")
      }
      if !rowNames.insert(section.id.rawValue).inserted {
        report.add(
          .error, place,
          "Section \(section.id) has places to stand and is called like a row; give one of them another id")
      }
      isNear(section.x ?? 0, section.y ?? 0, "Section \(section.id)", place)
      guard (1...Booking.maximumSeatsPerShow).contains(capacity) else {
        report.add(
          .error, place,
          "Section \(section.id) has a capacity of \(capacity); use 1 to \(Booking.maximumSeatsPerShow)")
        return
      }
      fits("\(section.id)-\(capacity)", "Section \(section.id)", place)
      seats += capacity
    }

    private mutating func examine(_ row: Row, at place: String) {
      if !rowNames.insert(row.id.rawValue).inserted {
        report.add(.error, place, "Row \(row.id) is listed twice; row ids are unique in a show")
      }
      if let category = row.category { exists(category, "Row \(row.id)", place) }
      isNear(row.x ?? 0, row.y ?? 0, "Row \(row.id)", place)
      guard (1...Booking.maximumSeatsPerShow).contains(row.seats) else {
        report.add(
          .error, place, "Row \(row.id) has \(row.seats) seats; use 1 to \(Booking.maximumSeatsPerShow)")
        return
      }
      seats += row.seats
      guard labelsAreSound(row, place), placesAreSound(row, place) else { return }
      specialsAreSound(row, place)
    }

    private mutating func labelsAreSound(_ row: Row, _ place: String) -> Bool {
      guard let labels = row.labels else {
        fits("\(row.id)-\(row.seats)", "Row \(row.id)", place)
        return true
      }
      guard labels.count == row.seats else {
        report.add(
          .error, "\(place)/labels",
          "Row \(row.id) has \(row.seats) seats and \(labels.count) labels; give each seat one")
        return false
      }
      var known: Set<String> = []
      var sound = true
      for label in labels {
        if !SeatPlan.isLabel(label) {
          report.add(
            .error, "\(place)/labels",
            "Row \(row.id) has the label \"\(label.prefix(20))\"; use 1 to 16 characters out of A-Z a-z 0-9 . _"
          )
          sound = false
        } else if !known.insert(label).inserted {
          report.add(
            .error, "\(place)/labels", "Row \(row.id) has two seats \(label); labels are unique in a row")
          sound = false
        } else {
          fits("\(row.id)-\(label)", "Row \(row.id)", place)
        }
      }
      return sound
    }

    private mutating func placesAreSound(_ row: Row, _ place: String) -> Bool {
      guard let places = row.places else { return true }
      guard places.count == row.seats else {
        report.add(
          .error, "\(place)/places",
          "Row \(row.id) has \(row.seats) seats and \(places.count) places; give each seat one")
        return false
      }
      guard zip(places, places.dropFirst()).allSatisfy({ $0 < $1 }),
        places.allSatisfy(SeatPlan.places.contains)
      else {
        report.add(
          .error, "\(place)/places",
          "The places of row \(row.id) must rise from left to right, from 1 to \(SeatPlan.places.upperBound)")
        return false
      }
      return true
    }

    private mutating func specialsAreSound(_ row: Row, _ place: String) {
      guard warns || row.special != nil else { return }
      var kinds = Array(repeating: Kind.ordinary, count: row.seats)
      var blocked = Array(repeating: false, count: row.seats)
      let offsets = row.labels.map {
        Dictionary(zip($0, $0.indices), uniquingKeysWith: { earlier, _ in earlier })
      }
      for (number, special) in (row.special ?? []).enumerated() {
        let place = "\(place)/special/\(number)"
        if let category = special.category { exists(category, "Row \(row.id)", place) }
        for label in special.seats {
          let offset = offsets.map { $0[label] } ?? Int(label).flatMap { String($0) == label ? $0 - 1 : nil }
          guard let offset, (0..<row.seats).contains(offset) else {
            report.add(
              .error, place, "Row \(row.id) has no seat \(label.prefix(20)); name seats by their labels")
            continue
          }
          if let kind = special.kind { kinds[offset] = kind }
          if special.blocked == true { blocked[offset] = true }
        }
      }
      if warns { lookForOddSeats(in: row, kinds, blocked, place) }
    }

    private mutating func lookForOddSeats(
      in row: Row, _ kinds: [Kind], _ blocked: [Bool], _ place: String
    ) {
      if blocked.allSatisfy({ $0 }) {
        report.add(.warning, place, "Every seat of row \(row.id) is blocked; nobody can buy one")
        return
      }
      func isBeside(_ offset: Int, _ other: Int) -> Bool {
        guard (0..<row.seats).contains(other) else { return false }
        return row.places.map { abs($0[other] - $0[offset]) == 1 } ?? true
      }
      for offset in 0..<row.seats where !blocked[offset] {
        let label = row.labels?[offset] ?? String(offset + 1)
        let beside = [offset - 1, offset + 1].filter { isBeside(offset, $0) && !blocked[$0] }
        switch kinds[offset] {
        case .ordinary where beside.isEmpty:
          report.add(
            .warning, place,
            "Seat \(row.id)-\(label) stands alone: no seat for sale is beside it. If there is one, check the places"
          )
        case .wheelchair where !beside.contains { kinds[$0] != .wheelchair }:
          report.add(
            .warning, place,
            "Wheelchair place \(row.id)-\(label) has no seat for a companion beside it; put one there if you can"
          )
        default: break
        }
      }
    }

    // MARK: Small rules

    private mutating func isPayable(_ price: Int64, _ what: String, _ place: String) {
      guard price < 0 || price > Booking.maximumPrice else { return }
      report.add(
        .error, place, "\(what) has the price \(price); use 0 to \(Booking.maximumPrice) minor units")
    }

    private mutating func exists(_ category: CategoryID, _ what: String, _ place: String) {
      used.insert(category)
      guard !categories.contains(category) else { return }
      report.add(
        .error, place,
        "\(what) has the category \(category), which the plan does not list; add it to categories")
    }

    private mutating func isNear(_ x: Int, _ y: Int, _ what: String, _ place: String) {
      guard !coordinates.contains(x) || !coordinates.contains(y) else { return }
      report.add(
        .error, place,
        "\(what) is at (\(x), \(y)); use \(coordinates.lowerBound) to \(coordinates.upperBound) for x and y")
    }

    /// The ids of its seats must be identifiers too.
    private mutating func fits(_ seat: String, _ what: String, _ place: String) {
      guard SeatID(seat) == nil else { return }
      report.add(.error, place, "\(what) has too long an id for its seats' ids; shorten it to 110 characters")
    }
  }

  /// A dash ends a row's name in a seat's id, so a label has none.
  public static func isLabel(_ text: String) -> Bool {
    labelLength.contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
