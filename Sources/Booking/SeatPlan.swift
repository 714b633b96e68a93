import Vocabulary

/// The seats of a show: sections with a price, made of rows, made of seats `<row>-1`, `<row>-2`…
///
/// A plan that exists is valid. Seats are numbered from 0 in the order of the plan (their *index*), so that
/// what is known about each seat fits into flat arrays. In JSON a plan is the array of its sections.
public struct SeatPlan: Sendable {
  public struct Section: Sendable, Hashable, Codable {
    public var id: SectionID
    /// Of one seat, tax included, in minor units of the show's currency.
    public var price: Int64
    public var rows: [Row]

    public init(id: SectionID, price: Int64, rows: [Row]) {
      self.id = id
      self.price = price
      self.rows = rows
    }
  }

  public struct Row: Sendable, Hashable, Codable {
    public var id: RowID
    /// How many seats the row has.
    public var seats: Int

    public init(id: RowID, seats: Int) {
      self.id = id
      self.seats = seats
    }
  }

  /// Why sections make no plan, one sentence for each thing to mend.
  public struct Invalid: Error, Sendable, Hashable {
    public let problems: [String]
  }

  /// A row among all rows of the show.
  struct PlacedRow: Sendable {
    let id: RowID
    /// The indices of its seats.
    let seats: Range<Int>
    /// The index of its section.
    let section: Int
  }

  public let sections: [Section]
  public let totalSeats: Int
  let rows: [PlacedRow]
  /// The number of each seat's row, by seat index.
  let rowOfSeat: [Int32]
  /// The numbers of each section's rows.
  let rowsOfSection: [SectionID: Range<Int>]
  private let rowNumbers: [String: Int]

  public init(sections: [Section]) throws(Invalid) {
    let problems = SeatPlan.problems(in: sections)
    guard problems.isEmpty else { throw Invalid(problems: problems) }

    var rows: [PlacedRow] = []
    var rowOfSeat: [Int32] = []
    var rowNumbers: [String: Int] = [:]
    var rowsOfSection: [SectionID: Range<Int>] = [:]
    for (number, section) in sections.enumerated() {
      rowsOfSection[section.id] = rows.count..<rows.count + section.rows.count
      for row in section.rows {
        let first = rowOfSeat.count
        rowNumbers[row.id.rawValue] = rows.count
        rowOfSeat.append(contentsOf: repeatElement(Int32(rows.count), count: row.seats))
        rows.append(PlacedRow(id: row.id, seats: first..<first + row.seats, section: number))
      }
    }
    self.sections = sections
    self.totalSeats = rowOfSeat.count
    self.rows = rows
    self.rowOfSeat = rowOfSeat
    self.rowsOfSection = rowsOfSection
    self.rowNumbers = rowNumbers
  }
}

extension SeatPlan {
  /// Where a seat stands in the plan's order, `nil` when there is no such seat.
  ///
  /// A seat's id is taken apart instead of looked up: a plan of 100,000 seats needs a table of its rows only.
  public func index(of seat: SeatID) -> Int? {
    let text = seat.rawValue
    guard let dash = text.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
    let digits = text.utf8[text.utf8.index(after: dash)...]
    // "A-01" is not "A-1": every seat has exactly one id.
    guard (1...6).contains(digits.count), digits.first != UInt8(ascii: "0") else { return nil }
    var number = 0
    for digit in digits {
      guard (48...57).contains(digit) else { return nil }
      number = number * 10 + Int(digit) - 48
    }
    guard let row = rowNumbers[String(text[..<dash])], number <= rows[row].seats.count else { return nil }
    return rows[row].seats.lowerBound + number - 1
  }

  /// The id of the seat at `index`, which must be below ``totalSeats``.
  public func seat(at index: Int) -> SeatID {
    let row = rows[Int(rowOfSeat[index])]
    return SeatID(unchecked: row.id.rawValue + "-" + String(index - row.seats.lowerBound + 1))
  }

  /// Every seat, in the order of the plan.
  public var seats: some Sequence<SeatID> {
    (0..<totalSeats).lazy.map(seat(at:))
  }

  /// The section in which a seat stands.
  public func section(of seat: SeatID) -> Section? {
    index(of: seat).map(section(at:))
  }

  /// The price of a seat in minor units of the show's currency.
  public func price(of seat: SeatID) -> Int64? {
    section(of: seat)?.price
  }

  func section(at index: Int) -> Section {
    sections[rows[Int(rowOfSeat[index])].section]
  }
}

extension SeatPlan: Hashable {
  public static func == (left: SeatPlan, right: SeatPlan) -> Bool { left.sections == right.sections }

  public func hash(into hasher: inout Hasher) { hasher.combine(sections) }
}

extension SeatPlan: Codable {
  public init(from decoder: any Decoder) throws {
    let sections = try [Section](from: decoder)
    do {
      try self.init(sections: sections)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: error.problems.joined(separator: "; ")))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    try sections.encode(to: encoder)
  }
}
