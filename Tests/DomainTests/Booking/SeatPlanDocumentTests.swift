import Booking
import Testing
import Vocabulary

@Suite("A seat plan as it is written down")
struct SeatPlanDocumentTests {
  typealias Document = SeatPlan.Document

  /// One section with one row.
  private func plan(_ row: SeatPlan.Row) throws -> SeatPlan {
    try SeatPlan(sections: [.init(id: "stalls", price: 4500, rows: [row])])
  }

  /// Which seats the best `count` of a new show are.
  private func best(_ count: Int, of document: Document, accessible: Int = 0) throws -> [String]? {
    var schedule = Lear.schedule
    (schedule.sections, schedule.categories) = (document.sections, document.categories)
    schedule.focalPoint = document.focalPoint
    let state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    let hold = Booking.Hold(
      holdID: "h1", buyer: "regan", seats: .best(.init(count: count, accessible: accessible)))
    do throws(Booking.Rejection) {
      guard case .seatsHeld(let fact)? = try Booking.decide(.hold(hold), state, at: Lear.noon).last else {
        return nil
      }
      return fact.seats.map(\.rawValue)
    } catch {
      return nil
    }
  }

  @Test(
    "a seat's label is not its place: odd and even numbers, and numbers from right to left, are neighbours")
  func labels() throws {
    let odd = try plan(.init(id: "A", seats: 4, labels: ["7", "5", "3", "1"]))
    #expect(odd.seats.map(\.rawValue) == ["A-7", "A-5", "A-3", "A-1"])
    #expect(odd.index(of: "A-3") == 2)
    #expect(odd.index(of: "A-2") == nil)
    #expect(try best(2, of: odd.document) == ["A-7", "A-5"])
  }

  @Test("an aisle parts the seats beside it, whatever their labels say")
  func aisles() throws {
    let row = SeatPlan.Row(id: "A", seats: 5, places: [1, 2, 4, 5, 6])
    let document = try plan(row).document
    #expect(try best(2, of: document) == ["A-1", "A-2"])
    #expect(try best(3, of: document) == ["A-3", "A-4", "A-5"])
    #expect(try best(4, of: document) == nil)
  }

  @Test("the nearest seats to the focal point are the best, the row behind before the far end of the first")
  func nearest() throws {
    let rows = ["A", "B"].map { SeatPlan.Row(id: RowID(unchecked: $0), seats: 8) }
    var document = Document(
      sections: [.init(id: "stalls", price: 1, rows: rows)], focalPoint: .init(x: 0, y: 0))
    #expect(try best(2, of: document) == ["A-4", "A-5"])
    document.focalPoint = .init(x: 0, y: 100)
    #expect(try best(2, of: document) == ["B-4", "B-5"])
    document.focalPoint = nil
    #expect(try best(2, of: document) == ["A-1", "A-2"])
  }

  @Test("a row's price goes before its section's, and a seat's before its row's")
  func prices() throws {
    let plan = try SeatPlan(
      .init(
        sections: [
          .init(
            id: "stalls", price: 100,
            rows: [
              .init(id: "A", seats: 1),
              .init(id: "B", seats: 2, category: "b", special: [.init(seats: ["2"], category: "c")]),
            ]), .init(id: "floor", category: "c", capacity: 2),
        ],
        categories: [.init(id: "b", name: "B", price: 200), .init(id: "c", name: "C", price: 300)]))
    #expect(["A-1", "B-1", "B-2", "floor-2"].map { plan.price(of: $0) } == [100, 200, 300, 300])
    #expect(plan.totalSeats == 5)
    #expect(plan.section(of: "floor-1")?.id == "floor")
    #expect(plan.index(of: "floor-3") == nil)
  }

  @Test("wheelchair places and companions' seats are kept for those who ask for them")
  func accessible() throws {
    let row = SeatPlan.Row(
      id: "A", seats: 5,
      special: [.init(seats: ["1", "3"], kind: .wheelchair), .init(seats: ["2"], kind: .companion)])
    let document = try plan(row).document
    #expect(try best(2, of: document) == ["A-4", "A-5"])
    #expect(try best(3, of: document) == nil)
    #expect(try best(2, of: document, accessible: 1) == ["A-1", "A-2"])
    #expect(try best(3, of: document, accessible: 2) == ["A-1", "A-2", "A-3"])
    #expect(try best(3, of: document, accessible: 3) == nil)
  }

  @Test("places to stand are taken in their order and need not be neighbours")
  func standing() throws {
    var schedule = Lear.schedule
    schedule.sections = [.init(id: "floor", price: 900, capacity: 5)]
    var state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    for command in [Lear.hold("h1", "floor-2"), Lear.best(3, as: "h2")] {
      for event in try Booking.decide(command, state, at: Lear.noon) { Booking.evolve(&state, event) }
    }
    #expect(state.hold("h2")?.terms.seats == ["floor-1", "floor-3", "floor-4"])
    #expect(state.hold("h2")?.terms.total == Money(2700, .eur))
  }

  @Test("blocked seats are not for sale, not by name and not as the best")
  func blocked() throws {
    var schedule = Lear.schedule
    schedule.sections = [
      .init(
        id: "s", price: 1, rows: [.init(id: "A", seats: 3, special: [.init(seats: ["2"], blocked: true)])])
    ]
    let state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    #expect(throws: Booking.Rejection.seatsUnavailable([.init(seat: "A-2", state: .blocked)])) {
      try Booking.decide(Lear.hold("h1", "A-1", "A-2"), state, at: Lear.noon)
    }
    #expect(throws: Booking.Rejection.noAdjacentSeats(count: 2)) {
      try Booking.decide(Lear.best(2, as: "h1"), state, at: Lear.noon)
    }
    let count = state.seatCount(at: Lear.noon)
    #expect((count.available, count.blocked) == (2, 1))
    #expect(state.plan?.blockedSeats == 1)
  }

  private static let faults: [(document: Document, place: String, words: String)] = [
    (section(.init(id: "A", seats: 2, labels: ["1"])), "/sections/0/rows/0/labels", "2 seats and 1 labels"),
    (section(.init(id: "A", seats: 2, labels: ["1", "1"])), "/sections/0/rows/0/labels", "two seats 1"),
    (section(.init(id: "A", seats: 1, labels: ["1-2"])), "/sections/0/rows/0/labels", "the label \"1-2\""),
    (section(.init(id: "A", seats: 1, labels: [""])), "/sections/0/rows/0/labels", "the label"),
    (section(.init(id: "A", seats: 2, places: [1])), "/sections/0/rows/0/places", "2 seats and 1 places"),
    (section(.init(id: "A", seats: 2, places: [2, 2])), "/sections/0/rows/0/places", "must rise"),
    (section(.init(id: "A", seats: 1, places: [10_001])), "/sections/0/rows/0/places", "to 10000"),
    (section(.init(id: "A", seats: 1, x: 1_000_001)), "/sections/0/rows/0", "is at (1000001, 0)"),
    (section(.init(id: "A", seats: 1, category: "gold")), "/sections/0/rows/0", "does not list"),
    (
      section(.init(id: "A", seats: 1, special: [.init(seats: ["2"])])), "/sections/0/rows/0/special/0",
      "has no seat 2"
    ),
    (
      section(.init(id: "A", seats: 1, special: [.init(seats: ["01"])])), "/sections/0/rows/0/special/0",
      "has no seat 01"
    ),
    (.init(sections: [.init(id: "s", rows: [.init(id: "A", seats: 1)])]), "/sections/0", "has no price"),
    (.init(sections: [.init(id: "s", capacity: 3)]), "/sections/0", "has no price"),
    (.init(sections: [.init(id: "s", price: 1, capacity: 0)]), "/sections/0", "capacity of 0"),
    (.init(sections: [.init(id: "s", price: 1, capacity: 100_001)]), "/sections/0", "capacity of 100001"),
    (
      .init(sections: [.init(id: "s", price: 1, rows: [.init(id: "A", seats: 1)], capacity: 1)]),
      "/sections/0",
      "rows and a capacity"
    ),
    (
      .init(sections: [
        .init(id: "s", price: 1, rows: [.init(id: "A", seats: 1)]), .init(id: "A", price: 1, capacity: 1),
      ]), "/sections/1", "called like a row"
    ),
    (
      .init(
        sections: [.init(id: "s", price: 1, category: "a", rows: [.init(id: "A", seats: 1)])],
        categories: [.init(id: "a", name: "A", price: 1)]), "/sections/0", "a price and a category"
    ),
    (
      .init(
        sections: [.init(id: "s", category: "a", rows: [.init(id: "A", seats: 1)])],
        categories: [.init(id: "a", name: "A", price: 1), .init(id: "a", name: "", price: -1)]),
      "/categories/1",
      "listed twice"
    ),
    (
      .init(
        sections: [.init(id: "s", price: 1, rows: [.init(id: "A", seats: 1)])],
        focalPoint: .init(x: 0, y: .max)),
      "/focal_point", "The focal point"
    ),
  ]

  private static func section(_ row: SeatPlan.Row) -> Document {
    Document(sections: [.init(id: "s", price: 1, rows: [row])])
  }

  @Test("has every mistake named with its place", arguments: faults.indices)
  func mistakes(_ number: Int) {
    let (document, place, words) = Self.faults[number]
    let report = SeatPlan.examine(document)
    #expect(!report.isValid)
    #expect(
      report.issues.contains { $0.severity == .error && $0.place == place && $0.message.contains(words) },
      "\(report.issues)")
    #expect(throws: SeatPlan.Invalid.self) { try SeatPlan(document) }
  }

  @Test("is warned about what is only odd, and can still be used")
  func warnings() throws {
    let document = Document(
      sections: [
        .init(
          id: "s", price: 1,
          rows: [
            .init(id: "A", seats: 3, places: [1, 2, 4]),
            .init(id: "B", seats: 2, special: [.init(seats: ["1", "2"], blocked: true)]),
            .init(id: "C", seats: 2, special: [.init(seats: ["1", "2"], kind: .wheelchair)]),
          ])
      ], categories: [.init(id: "gold", name: "Gold", price: 1)])
    let report = SeatPlan.examine(document)
    #expect(report.isValid)
    let found = report.issues.map { "\($0.place) \($0.message.prefix(24))" }
    #expect(
      found == [
        "/sections/0/rows/0 Seat A-3 stands alone: n", "/sections/0/rows/1 Every seat of row B is b",
        "/sections/0/rows/2 Wheelchair place C-1 has", "/sections/0/rows/2 Wheelchair place C-2 has",
        "/categories/0 No seat has the category",
      ])
    #expect(try SeatPlan(document).totalSeats == 7)
  }

  @Test("a report lists no more than a thousand issues and counts the rest")
  func bounded() {
    let rows = (1...1_200).map { SeatPlan.Row(id: RowID(unchecked: "r\($0)"), seats: 1) }
    let report = SeatPlan.examine(.init(sections: [.init(id: "s", price: 1, rows: rows)]))
    #expect(report.isValid)
    #expect((report.issues.count, report.omitted) == (1_000, 200))
  }
}
