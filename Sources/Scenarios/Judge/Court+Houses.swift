import Vocabulary

extension Court {
  /// Every seat at the end, by the log.
  func houses() async throws -> [House] {
    struct Place: Hashable {
      let show: String
      let seat: String
    }
    struct Owner {
      let buyer: String
      let isBefore: Bool
    }
    var owners: [Place: [Owner]] = [:]
    for row in try await connection.query(
      """
      select show_id, seat, coalesce(buyer, 'unknown'), from_position <= \(start)
      from log_booking
      where to_position is null
      order by from_position
      """)
    {
      let (show, seat, buyer, isBefore) = try row.decode(String.self, String.self, String.self, Bool.self)
      owners[Place(show: show, seat: seat), default: []].append(Owner(buyer: buyer, isBefore: isBefore))
    }
    var held: [Place: String] = [:]
    for row in try await connection.query(
      """
      select c.show_id, c.seat, h.buyer
      from log_hold h
      join log_change c on c.type = 'seats-held' and c.hold_id = h.hold_id
      where h.confirmed_position is null and h.ended_position is null
        and h.expires_at > \(performance.simulatedEnd)
      """)
    {
      let (show, seat, buyer) = try row.decode(String.self, String.self, String.self)
      held[Place(show: show, seat: seat)] = buyer
    }
    var soldAt: [Place: Int64] = [:]
    for attempt in performance.recording.attempts where attempt.outcome == .won {
      for seat in attempt.seats {
        let place = Place(show: attempt.show, seat: seat)
        soldAt[place] = min(soldAt[place] ?? .max, attempt.endMicroseconds)
      }
    }
    return plan.shows.map { show in
      House(show) { seat in
        let place = Place(show: show.id.rawValue, seat: seat.rawValue)
        guard let owners = owners[place], let first = owners.first else {
          return held[place].map { House.Seat(.held, buyers: [$0]) } ?? House.Seat(.free)
        }
        if owners.count == 1, first.isBefore { return House.Seat(.soldBefore) }
        return House.Seat(
          owners.count > 1 ? .oversold : .sold, buyers: owners.map(\.buyer), soldAtMicroseconds: soldAt[place])
      }
    }
  }
}
