import Vocabulary

/// A state as a document: the show, and one column for each thing that is known about its holds.
///
/// What the state has beside that follows from it. Columns are read several times faster than as many objects.
extension Booking.State: Codable {
  /// Raised whenever a state is encoded otherwise or holds more than it did.
  public static let snapshotSchema: Int16 = 2

  private struct Columns: Codable {
    var show: Booking.ShowScheduled?
    var isCancelled = false
    var ids: [String] = []
    var buyers: [String] = []
    /// Indices in the plan.
    var seats: [[Int32]] = []
    var totals: [Int64] = []
    /// Microseconds since 1970.
    var heldAt: [Int64] = []
    var expiresAt: [Int64] = []
    /// The same with extensions; empty if no hold was extended.
    var extendedTo: [Int64] = []
    /// See ``phase(_:order:)``.
    var phases: [UInt8] = []
    /// Of confirmed and cancelled holds, in order.
    var orders: [String] = []
  }

  public func encode(to encoder: any Encoder) throws {
    var columns = Columns(show: show, isCancelled: isCancelled)
    for number in holds.numbers {
      let hold = holds[number]
      guard let show, hold.seats.map({ show.plan.seat(at: Int($0)) }) == hold.terms.seats,
        hold.terms.total.currency == show.currency
      else {
        throw EncodingError.invalidValue(
          hold.terms.holdID,
          .init(
            codingPath: encoder.codingPath,
            debugDescription: "hold \(hold.terms.holdID) is not of this show's seats and currency"))
      }
      columns.ids.append(hold.terms.holdID.rawValue)
      columns.buyers.append(hold.terms.buyer.rawValue)
      columns.seats.append(hold.seats)
      columns.totals.append(hold.terms.total.minorUnits)
      columns.heldAt.append(hold.terms.heldAt.microseconds)
      columns.expiresAt.append(hold.terms.expiresAt.microseconds)
      columns.extendedTo.append(hold.expiresAt.microseconds)
      let (code, order) = Self.code(of: hold.phase)
      columns.phases.append(code)
      if let order { columns.orders.append(order.rawValue) }
    }
    if columns.extendedTo == columns.expiresAt { columns.extendedTo = [] }
    try columns.encode(to: encoder)
  }

  public init(from decoder: any Decoder) throws {
    let columns = try Columns(from: decoder)
    func damaged(_ what: String) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: what))
    }
    self.init()
    guard let show = columns.show else {
      guard columns.ids.isEmpty else { throw damaged("there are holds, and no show") }
      return
    }
    Booking.evolve(&self, .showScheduled(show))
    isCancelled = columns.isCancelled
    let extendedTo = columns.extendedTo.isEmpty ? columns.expiresAt : columns.extendedTo
    let counts = [
      columns.buyers.count, columns.seats.count, columns.totals.count, columns.heldAt.count,
      columns.expiresAt.count, extendedTo.count, columns.phases.count,
    ]
    guard counts.allSatisfy({ $0 == columns.ids.count }) else {
      throw damaged("its columns differ in length")
    }
    var orders = columns.orders.makeIterator()
    for index in columns.ids.indices {
      let seats = columns.seats[index]
      guard seats.allSatisfy({ (0..<show.plan.totalSeats).contains(Int($0)) }) else {
        throw damaged("hold \(columns.ids[index]) has a seat that the plan does not have")
      }
      let terms = Booking.SeatsHeld(
        holdID: HoldID(unchecked: columns.ids[index]), buyer: BuyerID(unchecked: columns.buyers[index]),
        seats: seats.map { show.plan.seat(at: Int($0)) },
        total: Money(columns.totals[index], show.currency),
        heldAt: Timestamp(microseconds: columns.heldAt[index]),
        expiresAt: Timestamp(microseconds: columns.expiresAt[index]))
      guard let phase = Self.phase(columns.phases[index], order: { orders.next() }) else {
        throw damaged("hold \(columns.ids[index]) is in phase \(columns.phases[index]), which is unknown")
      }
      restore(terms, seats: seats, in: phase, until: Timestamp(microseconds: extendedTo[index]))
    }
  }

  private static func code(of phase: Booking.HoldRecord.Phase) -> (code: UInt8, order: OrderID?) {
    switch phase {
    case .held: (0, nil)
    case .confirmed(let order): (1, order)
    case .released: (2, nil)
    case .expired: (3, nil)
    case .cancelled(let order): (4, order)
    }
  }

  private static func phase(_ code: UInt8, order: () -> String?) -> Booking.HoldRecord.Phase? {
    switch code {
    case 0: .held
    case 1: order().map { .confirmed(OrderID(unchecked: $0)) }
    case 2: .released
    case 3: .expired
    case 4: order().map { .cancelled(OrderID(unchecked: $0)) }
    default: nil
    }
  }
}
