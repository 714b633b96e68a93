import Booking
import EventStore
import PostgreSQL
import Services
import Vocabulary

/// What is there before the first buyer comes: accounts, shows on sale, and the seats that are sold already. All of it
/// goes through the services, whatever strategy sells the rest.
struct HouseSetup {
  /// Who bought the seats that were sold before.
  static let earlierBuyer = BuyerID(unchecked: "sold-before")
  private static let context = RequestContext(actor: "scenario")

  let plan: ScenarioPlan
  let aisle: Aisle

  func run() async throws {
    for account in plan.accounts {
      let zone = plan.strategy == .utcMonths ? "UTC" : account.timeZone
      try await aisle.billing.openAccount(account.id, name: account.name, timeZone: zone, Self.context)
    }
    for show in plan.shows {
      try await aisle.booking.schedule(show.schedule, Self.context)
      try await sell(show.seatsAlreadySold, of: show)
      if let room = show.waitingRoom { _ = try await aisle.rooms.open(show.id, plan.strategy.terms(room)) }
    }
    if plan.strategy == .rowLock { try await makeSeatTable() }
  }

  private func sell(_ seats: [SeatID], of show: ShowOnSale) async throws {
    let most = min(Booking.maximumSeatsPerHold, show.policy.seatsPerBuyer ?? .max)
    for (number, start) in stride(from: 0, to: seats.count, by: most).enumerated() {
      let some = Array(seats[start..<min(start + most, seats.count)])
      let name = "\(Self.earlierBuyer)-\(number + 1)"
      let hold = HoldID.make(show: show.id, unique: name) ?? HoldID(unchecked: "\(show.id):\(name)")
      _ = try await aisle.booking.hold(
        hold, show: show.id, buyer: BuyerID(unchecked: name), seats: .named(some), Self.context)
      let receipt = try await aisle.ordering.place(
        OrderID(unchecked: "\(name).\(show.id)"), hold: hold, account: earlierAccount, paymentMethod: "card",
        Self.context)
      guard case .confirmed = receipt.state else {
        throw ScenarioRunError("the seats that were sold before could not be sold: \(receipt.state)")
      }
    }
  }

  /// Not an account of the file, so that the bills that a file expects are those of its own buyers.
  private var earlierAccount: AccountID {
    let taken = Set(plan.accounts.map(\.id))
    var name = Self.earlierBuyer.rawValue
    while taken.contains(AccountID(unchecked: name)) { name += "-" }
    return AccountID(unchecked: name)
  }

  private func makeSeatTable() async throws {
    let pool = aisle.store.pool
    try await pool.execute(
      """
      create table public.scenario_seat (
        show_id     text        not null,
        seat        text        not null,
        seat_no     integer     not null,
        hold_id     text,
        buyer       text,
        expires_at  timestamptz,
        order_id    text,
        account_id  text,
        primary key (show_id, seat)
      )
      """)
    try await pool.execute("create index on public.scenario_seat (hold_id)")
    try await pool.execute("create index on public.scenario_seat (order_id)")
    for show in plan.shows {
      let sold = Set(show.seatsAlreadySold)
      let seats = show.seatIDs
      try await pool.execute(
        """
        insert into public.scenario_seat (show_id, seat, seat_no, order_id)
        select \(show.id.rawValue), s.seat, s.seat_no, case when s.sold then 'sold-before' end
        from unnest(\(seats.map(\.rawValue)), \(seats.map(sold.contains))) with ordinality s (seat, sold, seat_no)
        """)
    }
  }
}

extension ShowOnSale {
  var schedule: Booking.Schedule {
    Booking.Schedule(
      showID: id, title: title, startsAt: startsAt, currency: currency, taxRateBasisPoints: taxBasisPoints,
      holdTTLSeconds: Int(holdTTL.components.seconds),
      sections: sections.map { section in
        SeatPlan.Section(
          id: section.id, price: section.price, category: section.category,
          rows: section.rows.map { row in
            SeatPlan.Row(
              id: RowID(unchecked: row.id), seats: row.seats, places: row.places, category: row.category,
              special: row.special)
          }, capacity: section.capacity)
      }, categories: categories, focalPoint: focalPoint, policy: policy)
  }
}

extension ShowOnSale.Row {
  fileprivate var special: [SeatPlan.Special]? {
    let kinds: [(seats: [Int], kind: SeatPlan.Kind)] = [(wheelchair, .wheelchair), (companion, .companion)]
    let special = kinds.filter { !$0.seats.isEmpty }.map { seats, kind in
      SeatPlan.Special(seats: seats.map(String.init), kind: kind)
    }
    return special.isEmpty ? nil : special
  }
}
