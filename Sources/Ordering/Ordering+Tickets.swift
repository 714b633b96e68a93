import Vocabulary

extension Ordering {
  /// Somebody else has the ticket from now on. Who pays stays the same.
  public struct TicketTransferred: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let seat: SeatID
    /// Who goes.
    public let holder: BuyerID
    /// Where the holder wants to be written to, if anywhere.
    public let email: EmailAddress?
    public let transferredAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case seat
      case holder, email
      case transferredAt = "transferred_at"
    }

    public init(
      orderID: OrderID, seat: SeatID, holder: BuyerID, email: EmailAddress? = nil, transferredAt: Timestamp
    ) {
      self.orderID = orderID
      self.seat = seat
      self.holder = holder
      self.email = email
      self.transferredAt = transferredAt
    }
  }

  /// Somebody went in with the ticket.
  public struct TicketCheckedIn: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let seat: SeatID
    /// By which a repeated request is told from a second person with the same ticket.
    public let scanID: ScanID
    public let checkedInAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case seat
      case scanID = "scan_id"
      case checkedInAt = "checked_in_at"
    }

    public init(orderID: OrderID, seat: SeatID, scanID: ScanID, checkedInAt: Timestamp) {
      self.orderID = orderID
      self.seat = seat
      self.scanID = scanID
      self.checkedInAt = checkedInAt
    }
  }

  /// One seat of a confirmed order and who goes.
  public struct Ticket: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, Codable {
      case valid
      case checkedIn = "checked-in"
      case cancelled
    }

    public let seat: SeatID
    public let holder: BuyerID
    public let status: Status
  }

  static func transfer(
    _ seat: SeatID, to holder: BuyerID, _ email: EmailAddress?, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let ticket = try ticket(seat, of: state)
    if ticket.holder == holder { return [] }
    let order = try confirmed(state)
    guard ticket.status == .valid else { throw .alreadyCheckedIn(order.orderID, seat) }
    let fact = TicketTransferred(
      orderID: order.orderID, seat: seat, holder: holder, email: email, transferredAt: now)
    return [.ticketTransferred(fact)]
  }

  static func checkIn(
    _ seat: SeatID, _ scan: ScanID, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    _ = try ticket(seat, of: state)
    let order = try confirmed(state)
    if let earlier = state.checkedIn[seat] {
      guard earlier == scan else { throw .alreadyCheckedIn(order.orderID, seat) }
      return []
    }
    let fact = TicketCheckedIn(orderID: order.orderID, seat: seat, scanID: scan, checkedInAt: now)
    return [.ticketCheckedIn(fact)]
  }

  /// A ticket that can be used.
  private static func ticket(_ seat: SeatID, of state: State) throws(Rejection) -> Ticket {
    let order = try confirmed(state)
    guard let ticket = state.tickets.first(where: { $0.seat == seat }), ticket.status != .cancelled else {
      throw .noSuchTicket(order.orderID, seat)
    }
    return ticket
  }
}

extension Ordering.State {
  /// A ticket for each seat that was ever confirmed.
  public var tickets: [Ordering.Ticket] {
    let order: Ordering.OrderPlaced
    switch standing {
    case .confirmed(let placed), .cancelled(let placed, refunded: true): order = placed
    case .none, .placed, .failed, .cancelled(_, refunded: false): return []
    }
    return order.lines.map { line in
      let status: Ordering.Ticket.Status =
        cancelledSeats.contains(line.seat) ? .cancelled : checkedIn[line.seat] != nil ? .checkedIn : .valid
      return Ordering.Ticket(seat: line.seat, holder: holders[line.seat] ?? order.buyer, status: status)
    }
  }
}
