import Booking
import Testing
import Vocabulary

@Suite("Scheduling a show")
struct ScheduleTests {
  @Test("puts its seats on sale")
  func schedules() {
    given(Booking.self).when(.schedule(Lear.schedule), at: "2026-11-01T09:00:00Z").then(Lear.scheduled)
  }

  @Test("twice with the same details schedules once; with others it is refused")
  func repeated() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
    past.when(.schedule(Lear.schedule), at: "2026-11-02T00:00:00Z").thenNothingNew()
    var other = Lear.schedule
    other.title = "Macbeth"
    past.when(.schedule(other)).thenRefused(.showAlreadyScheduled)
    other = Lear.schedule
    other.sections[1].price = 2501
    past.when(.schedule(other)).thenRefused(.showAlreadyScheduled)
  }

  @Test("names everything that has to be mended at once")
  func namesAllProblems() {
    var wrong = Lear.schedule
    wrong.title = ""
    wrong.taxRateBasisPoints = 10_001
    wrong.holdTTLSeconds = 0
    wrong.sections = []
    given(Booking.self).when(.schedule(wrong)).thenRefused(
      .invalidPlan([
        "The title has 0 characters; use 1 to 200",
        "The tax rate is 10001 basis points; use 0 to 10000",
        "Holds live 0 seconds; use 1 to 86400",
        "The plan has no seats; give it a section with a row of at least one",
      ]))
  }

  @Test("is possible at the edges of what is allowed", arguments: [(0, 1), (10_000, 86_400)])
  func edges(_ basisPoints: Int, _ seconds: Int) throws {
    var schedule = Lear.schedule
    schedule.taxRateBasisPoints = basisPoints
    schedule.holdTTLSeconds = seconds
    #expect(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon).count == 1)
  }
}

@Suite("A seat plan")
struct SeatPlanTests {
  typealias Section = SeatPlan.Section

  @Test("numbers the seats of each row from 1")
  func seatIDs() {
    #expect(
      Lear.plan.seats.map(\.rawValue) == [
        "A-1", "A-2", "A-3", "A-4", "B-1", "B-2", "B-3", "B-4", "AA-1", "AA-2", "AA-3", "AA-4",
      ])
    #expect(Lear.plan.totalSeats == 12)
  }

  @Test("knows each seat's place, section and price")
  func lookups() {
    for (index, seat) in Lear.plan.seats.enumerated() {
      #expect(Lear.plan.index(of: seat) == index)
    }
    #expect(Lear.plan.section(of: "AA-1")?.id == "circle")
    #expect(Lear.plan.price(of: "B-4") == 4500)
    #expect(Lear.plan.price(of: "B-5") == nil)
  }

  @Test(
    "has exactly one id for each seat", arguments: ["A-01", "A-0", "A-", "A", "-1", "a-1", "A--1"])
  func canonical(_ id: String) throws {
    #expect(Lear.plan.index(of: try #require(SeatID(id))) == nil)
  }

  @Test("tells rows apart that end in a number")
  func rowsWithDashes() throws {
    let plan = try SeatPlan(sections: [
      Section(id: "s", price: 1, rows: [.init(id: "A", seats: 11), .init(id: "A-1", seats: 2)])
    ])
    #expect(plan.index(of: "A-1") == 0)
    #expect(plan.index(of: "A-11") == 10)
    #expect(plan.index(of: "A-1-1") == 11)
    #expect(plan.index(of: "A-1-2") == 12)
  }

  @Test(
    "is refused when its parts are doubled, empty, too many or out of range",
    arguments: [
      ([], "no seats"),
      ([Section(id: "s", price: 1, rows: [])], "has no rows"),
      ([Section(id: "s", price: -1, rows: [.init(id: "A", seats: 1)])], "the price -1"),
      ([Section(id: "s", price: .max, rows: [.init(id: "A", seats: 1)])], "the price"),
      ([Section(id: "s", price: 1, rows: [.init(id: "A", seats: 0)])], "has 0 seats"),
      ([Section(id: "s", price: 1, rows: [.init(id: "A", seats: .max)])], "seats"),
      (
        [Section(id: "s", price: 1, rows: [.init(id: "A", seats: 1), .init(id: "A", seats: 1)])],
        "Row A is listed twice"
      ),
      (
        [
          Section(id: "s", price: 1, rows: [.init(id: "A", seats: 1)]),
          Section(id: "s", price: 1, rows: [.init(id: "B", seats: 1)]),
        ], "Section s is listed twice"
      ),
      (
        [
          Section(id: "s", price: 1, rows: [.init(id: "A", seats: 100_000)]),
          Section(id: "t", price: 1, rows: [.init(id: "B", seats: 1)]),
        ], "100001 seats"
      ),
      (
        [
          Section(
            id: "s", price: 1,
            rows: [.init(id: RowID(unchecked: String(repeating: "r", count: 127)), seats: 1)])
        ],
        "too long an id"
      ),
    ] as [([Section], String)])
  func refused(_ sections: [Section], _ words: String) {
    do {
      _ = try SeatPlan(sections: sections)
      Issue.record("accepted")
    } catch {
      #expect(error.problems.contains { $0.contains(words) }, "\(error.problems)")
    }
  }

  @Test("may have 100,000 seats in one row, or in 100,000")
  func large() throws {
    let hall = try SeatPlan(sections: [Section(id: "s", price: 0, rows: [.init(id: "A", seats: 100_000)])])
    #expect(hall.index(of: "A-100000") == 99_999)
    let rows = (1...100_000).map { SeatPlan.Row(id: RowID(unchecked: "r\($0)"), seats: 1) }
    let boxes = try SeatPlan(sections: [Section(id: "s", price: Booking.maximumPrice, rows: rows)])
    #expect(boxes.index(of: "r100000-1") == 99_999)
  }

  @Test("is checked when it is read from the log as well")
  func decoding() {
    expectRefusal(of: #"{"sections":[]}"#, as: SeatPlan.self, saying: "no seats")
    expectRefusal(
      of: #"{"sections":[{"id":"s","price":-1,"rows":[{"id":"A","seats":1}]}]}"#, as: SeatPlan.self,
      saying: "price -1")
  }
}
