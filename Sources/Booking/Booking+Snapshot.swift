import Vocabulary

/// A state as a document: the show, and one column for each thing that is known about its holds.
///
/// What the state has beside that follows from it. Columns are read several times faster than as many objects.
extension Booking.State: Codable {
  /// Raised whenever a state is encoded otherwise or holds more than it did.
  public static let snapshotSchema: Int16 = 3

  private struct Columns: Codable {
    var show: Booking.ShowScheduled?
    var isCancelled = false
    var ids = TextColumn()
    var buyers = TextColumn()
    /// How many seats each has, and their indices in the plan, one hold after the other.
    var seatCounts = IntegerColumn<Int32>()
    var seats = IntegerColumn<Int32>()
    var totals = IntegerColumn<Int64>()
    /// Microseconds since 1970.
    var heldAt = IntegerColumn<Int64>()
    var expiresAt = IntegerColumn<Int64>()
    /// The same with extensions; empty if no hold was extended.
    var extendedTo = IntegerColumn<Int64>()
    /// Of the waiting list, by the numbers of the holds that were offers, in order.
    var offers = IntegerColumn<Int32>()
    var waiting: [Booking.WaitingListJoined] = []
    var waitingPhases: [Booking.WaitingRecord.Phase] = []
    /// See ``phase(_:order:)``.
    var phases = IntegerColumn<UInt8>()
    /// Of confirmed and cancelled holds, in order.
    var orders = TextColumn()
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
      columns.ids.values.append(hold.terms.holdID.rawValue)
      columns.buyers.values.append(hold.terms.buyer.rawValue)
      columns.seatCounts.values.append(Int32(hold.seats.count))
      columns.seats.values += hold.seats
      columns.totals.values.append(hold.terms.total.minorUnits)
      columns.heldAt.values.append(hold.terms.heldAt.microseconds)
      columns.expiresAt.values.append(hold.terms.expiresAt.microseconds)
      columns.extendedTo.values.append(hold.expiresAt.microseconds)
      let (code, order) = Self.code(of: hold.phase)
      columns.phases.values.append(code)
      if let order { columns.orders.values.append(order.rawValue) }
    }
    columns.offers.values = holds.numbers.filter { holds[$0].terms.waitingID != nil }
    columns.waiting = waitingList.entries.map(\.terms)
    columns.waitingPhases = waitingList.entries.map(\.phase)
    if columns.extendedTo == columns.expiresAt { columns.extendedTo.values = [] }
    try columns.encode(to: encoder)
  }

  public init(from decoder: any Decoder) throws {
    let columns = try Columns(from: decoder)
    func damaged(_ what: String) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: what))
    }
    self.init()
    let ids = columns.ids.values
    guard let show = columns.show else {
      guard ids.isEmpty else { throw damaged("there are holds, and no show") }
      return
    }
    Booking.evolve(&self, .showScheduled(show))
    isCancelled = columns.isCancelled
    guard columns.waiting.count == columns.waitingPhases.count else {
      throw damaged("its columns of the waiting list differ in length")
    }
    for (entry, phase) in zip(columns.waiting, columns.waitingPhases) { waitingList.append(entry, in: phase) }
    let offers = Set(columns.offers.values)
    let extendedTo = (columns.extendedTo.values.isEmpty ? columns.expiresAt : columns.extendedTo).values
    let counts = [
      columns.buyers.values.count, columns.seatCounts.values.count, columns.totals.values.count,
      columns.heldAt.values.count, columns.expiresAt.values.count, extendedTo.count,
      columns.phases.values.count,
    ]
    guard counts.allSatisfy({ $0 == ids.count }) else {
      throw damaged("its columns differ in length")
    }
    var orders = columns.orders.values.makeIterator()
    var seatsLeft = columns.seats.values[...]
    for index in ids.indices {
      let seats = Array(seatsLeft.prefix(Int(max(columns.seatCounts.values[index], 0))))
      seatsLeft.removeFirst(seats.count)
      guard seats.count == columns.seatCounts.values[index],
        seats.allSatisfy({ (0..<show.plan.totalSeats).contains(Int($0)) })
      else {
        throw damaged("hold \(ids[index]) has a seat that the plan does not have")
      }
      let terms = Booking.SeatsHeld(
        holdID: HoldID(unchecked: ids[index]), buyer: BuyerID(unchecked: columns.buyers.values[index]),
        seats: seats.map { show.plan.seat(at: Int($0)) },
        total: Money(columns.totals.values[index], show.currency),
        heldAt: Timestamp(microseconds: columns.heldAt.values[index]),
        expiresAt: Timestamp(microseconds: columns.expiresAt.values[index]),
        // An offer has the id of the entry.
        waitingID: offers.contains(Int32(index)) ? WaitingID(unchecked: ids[index]) : nil)
      guard let phase = Self.phase(columns.phases.values[index], order: { orders.next() }) else {
        throw damaged("hold \(ids[index]) is in phase \(columns.phases.values[index]), which is unknown")
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
