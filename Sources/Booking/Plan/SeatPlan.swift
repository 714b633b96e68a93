import Vocabulary

/// The seats of a show, each with its place, its neighbours and its price.
///
/// A plan that exists is valid. Seats are numbered from 0 in the order of the plan (their *index*), so that what is
/// known about each seat fits into flat arrays. Seats side by side form a *block*: an aisle ends one, and the printed
/// labels say nothing about it. In JSON a plan is a ``Document``.
public struct SeatPlan: Sendable {
  /// Why a document makes no plan, one sentence for each thing to mend.
  public struct Invalid: Error, Sendable, Hashable {
    public let problems: [String]
    public let report: Report
  }

  /// A row among all rows of the show. A section without rows counts as one, which people stand in.
  struct PlacedRow: Sendable {
    /// The row's id, or the section's.
    let name: String
    /// The indices of its seats.
    let seats: Range<Int>
    /// The index of its section.
    let section: Int
    let isStanding: Bool
    /// What is printed on the seats if that is not 1, 2, 3…
    let labels: Labels?
  }

  struct Labels: Sendable {
    let all: [String]
    /// How many seats stand left of the one with a label.
    let offsets: [String: Int]
  }

  /// Seats side by side, or places to stand.
  struct Block: Sendable {
    let seats: Range<Int>
    /// Among ``rows``.
    let row: Int
    let isStanding: Bool
  }

  public let document: Document
  public let totalSeats: Int
  /// How many of them are not for sale.
  public let blockedSeats: Int
  let rows: [PlacedRow]
  let blocks: [Block]
  /// The number of each seat's block, by seat index.
  let blockOfSeat: [Int32]
  /// The numbers of each section's blocks.
  let blocksOfSection: [SectionID: Range<Int>]
  /// Every price, those of the categories first, in their order.
  let prices: [Int64]
  /// Which of ``prices`` each seat has, by seat index.
  let priceOfSeat: [Int32]
  let categoryNumbers: [CategoryID: Int32]
  let blocked: SeatSet
  let wheelchair: SeatSet
  let companion: SeatSet
  /// Where everything is, if the plan says which seats are near.
  let geometry: SeatGeometry?
  private let rowNumbers: [String: Int]

  public init(sections: [Section]) throws(Invalid) {
    try self.init(Document(sections: sections))
  }

  public init(_ document: Document) throws(Invalid) {
    let report = SeatPlan.examine(document, warns: false)
    guard report.isValid else { throw Invalid(problems: report.problems, report: report) }

    var layout = SeatLayout(document)
    layout.placeAll()
    self.document = document
    totalSeats = layout.blockOfSeat.count
    rows = layout.rows
    blocks = layout.blocks
    blockOfSeat = layout.blockOfSeat
    blocksOfSection = layout.blocksOfSection
    prices = layout.prices
    priceOfSeat = layout.priceOfSeat
    categoryNumbers = layout.categoryNumbers
    blocked = layout.blocked
    wheelchair = layout.wheelchair
    companion = layout.companion
    blockedSeats = layout.blocked.count
    rowNumbers = layout.rowNumbers
    geometry = document.focalPoint.map { SeatGeometry(layout, focus: $0) }
  }

  public var sections: [Section] { document.sections }
}

extension SeatPlan {
  /// Where a seat stands in the plan's order, `nil` when there is no such seat.
  ///
  /// A seat's id is taken apart instead of looked up: a plan of 100,000 seats needs a table of its rows only, and of the
  /// labels that are not plain numbers.
  public func index(of seat: SeatID) -> Int? {
    let text = seat.rawValue
    guard let dash = text.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
    guard let row = rowNumbers[String(text[..<dash])] else { return nil }
    let label = text[text.utf8.index(after: dash)...]
    if let labels = rows[row].labels {
      return labels.offsets[String(label)].map { rows[row].seats.lowerBound + $0 }
    }
    guard let number = SeatPlan.number(label), number <= rows[row].seats.count else { return nil }
    return rows[row].seats.lowerBound + number - 1
  }

  private static func number(_ label: Substring) -> Int? {
    // "A-01" is not "A-1": every seat has exactly one id.
    guard (1...6).contains(label.utf8.count), label.utf8.first != UInt8(ascii: "0") else { return nil }
    var number = 0
    for digit in label.utf8 {
      guard (48...57).contains(digit) else { return nil }
      number = number * 10 + Int(digit) - 48
    }
    return number
  }

  /// The id of the seat at `index`, which must be below ``totalSeats``.
  public func seat(at index: Int) -> SeatID {
    let row = rows[blocks[Int(blockOfSeat[index])].row]
    let offset = index - row.seats.lowerBound
    return SeatID(unchecked: row.name + "-" + (row.labels?.all[offset] ?? String(offset + 1)))
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
    index(of: seat).map(price(at:))
  }

  func price(at index: Int) -> Int64 { prices[Int(priceOfSeat[index])] }

  func section(at index: Int) -> Section {
    sections[rows[blocks[Int(blockOfSeat[index])].row].section]
  }

  /// The seats that stand next to one in the same block.
  func neighbours(of index: Int) -> [Int] {
    let block = blocks[Int(blockOfSeat[index])]
    guard !block.isStanding else { return [] }
    return [index - 1, index + 1].filter(block.seats.contains)
  }
}

extension SeatPlan: Hashable {
  public static func == (left: SeatPlan, right: SeatPlan) -> Bool { left.document == right.document }

  public func hash(into hasher: inout Hasher) { hasher.combine(document) }
}

extension SeatPlan: Codable {
  public init(from decoder: any Decoder) throws {
    let document = try Document(from: decoder)
    do {
      try self.init(document)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: error.problems.joined(separator: "; ")))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    try document.encode(to: encoder)
  }
}
