import Booking
import Vocabulary

/// The body of `POST /v1/shows/{show_id}/holds`.
struct HoldRequest {
  let buyer: BuyerID
  let seats: Booking.SeatChoice

  init(_ body: JSONNode) throws(Problem) {
    (buyer, seats) = try body.faults.finish(body["buyer"].identifier(BuyerID.self), Self.choice(body))
  }

  private static func choice(_ body: JSONNode) -> Booking.SeatChoice? {
    let (seats, best) = (body["seats"], body["best"])
    if seats.isPresent, best.isPresent {
      best.reject("is given together with seats; ask for seats by name or for the best ones, not both")
      return nil
    }
    guard best.isPresent else { return named(seats).map(Booking.SeatChoice.named) }
    return self.best(best).map(Booking.SeatChoice.best)
  }

  /// What the best seats are to be like.
  static func best(_ node: JSONNode) -> Booking.Best? {
    node.requireObject()
    let count = node["count"].integer(1...Int64(Booking.maximumSeatsPerHold))
    let section: SectionID?? = node["section"].ifPresent { $0.identifier() }
    let category: CategoryID?? = node["category"].ifPresent { $0.identifier() }
    let together = node["together"].boolean(default: true)
    let accessible = node["accessible"].integer(0...(count ?? Int64(Booking.maximumSeatsPerHold)), default: 0)
    guard let count, let section, let category, let together, let accessible else { return nil }
    return Booking.Best(
      count: Int(count), section: section, category: category, together: together, accessible: Int(accessible)
    )
  }

  private static func named(_ node: JSONNode) -> [SeatID]? {
    var known: Set<SeatID> = []
    return node.array(of: 1...Booking.maximumSeatsPerHold) { seat in
      guard let id = seat.identifier(SeatID.self) else { return nil }
      if !known.insert(id).inserted { seat.reject("is \(id), which is named already") }
      return id
    }
  }
}

extension Problem {
  /// Points at the seats of the request that the show does not have.
  func pointing(at request: HoldRequest, for rejection: Booking.Rejection) -> Problem {
    guard case .unknownSeats(let unknown) = rejection, case .named(let seats) = request.seats else {
      return self
    }
    let missing = Set(unknown)
    return with {
      $0.errors = seats.enumerated().filter { missing.contains($0.element) }.prefix(50)
        .map { Fault(.pointer("/seats/\($0.offset)"), "is \($0.element), which the show does not have") }
    }
  }
}
