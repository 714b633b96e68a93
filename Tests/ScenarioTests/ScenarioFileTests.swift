import Booking
import Foundation
import Ordering
import Services
import Testing
import Vocabulary

@testable import Scenarios

@Suite("A scenario file")
struct ScenarioFileTests {
  @Test("that is shipped can be read, under its own name, with a story")
  func shippedFiles() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: SampleReports.scenarioDirectory)
      .filter { $0.hasSuffix(".yaml") }
    let expected: Set = [
      "last-seat.yaml", "sold-out.yaml", "hold-expiry.yaml", "month-end-refund.yaml",
      "duplicate-requests.yaml",
      "crash.yaml", "two-processes.yaml", "standing-room.yaml", "best-available.yaml", "small-hall.yaml",
      "hold-storm.yaml", "house-of-kinds.yaml", "watchers.yaml", "waiting-list.yaml", "cards.yaml",
      "giving-back.yaml",
      "airline.yaml", "late-payment.yaml", "waiting-room.yaml",
    ]
    #expect(expected.isSubset(of: names))
    for name in names {
      let scenario = try ScenarioFile.load(path: SampleReports.scenarioDirectory + "/" + name)
      #expect(scenario.name + ".yaml" == name)
      #expect(scenario.story.count > 200, "\(name) has a story")
      #expect(scenario.invariants.count >= 5, "\(name) proves something")
      #expect(!scenario.controls.isEmpty, "\(name) has a control")
      // The plan of the file as it is shipped, at full size.
      let plan = ScenarioPlan(scenario)
      #expect(plan.actionCount >= plan.buyers.count)
      for show in scenario.shows { _ = try SeatPlan(show.schedule.plan) }
    }
  }

  @Test("says how many may shop at once, and who does not stay")
  func waitingRoom() throws {
    let scenario = try SampleReports.scenario("waiting-room")
    #expect(
      scenario.shows[0].waitingRoom
        == WaitingRoom.Terms(shoppers: 10, admissionSeconds: 120, absenceSeconds: 20))
    #expect(scenario.actors.map(\.givesUp) == [nil, .leaves, .vanishes])
    let plan = ScenarioPlan(scenario)
    #expect(plan.steps.flatMap(\.waves).flatMap(\.actions).allSatisfy { $0.kind == .shop })
    #expect(plan.buyers.count { $0.givesUp == .leaves } == 14)
  }

  @Test("says what is on sale, who acts and what must hold")
  func lastSeat() throws {
    let scenario = try SampleReports.scenario("last-seat")
    let show = try #require(scenario.shows.first)
    #expect(scenario.strategy == .occ)
    #expect(show.totalSeats == 180)
    #expect(show.taxBasisPoints == 700)
    #expect(show.holdTTL == .seconds(600))
    #expect(show.sections.map(\.price) == [6200, 4500])
    #expect(show.seatsAlreadySold.count == 179)
    #expect(!show.seatsAlreadySold.contains(SeatID(unchecked: "F-30")))
    #expect(scenario.actors.map(\.count) == [200])
    #expect(scenario.actors.first?.wants == .named([SeatID(unchecked: "F-30")]))
    #expect(scenario.invariants.contains(Invariant(.exactlyOneWinner)))
  }

  @Test("leaves the last seats of the plan free after `all but N`, and the named ones after `all but F-7`")
  func alreadySold() throws {
    var show = try #require(try SampleReports.scenario("two-processes").shows.first)
    #expect(show.alreadySold == .allBut(1))
    #expect(Set(show.seatIDs).subtracting(show.seatsAlreadySold) == [SeatID(unchecked: "F-30")])
    show.alreadySold = .allExcept([SeatID(unchecked: "A-3")])
    #expect(Set(show.seatIDs).subtracting(show.seatsAlreadySold) == [SeatID(unchecked: "A-3")])
  }

  @Test("may have aisles, places to stand, a focal point and rules of its own, and parties that may be split")
  func richHouse() throws {
    let yaml = try String(
      contentsOfFile: SampleReports.scenarioDirectory + "/sold-out.yaml", encoding: .utf8
    )
    .replacing(
      "hold_ttl: 10m",
      with: """
        hold_ttl: 10m
            hold_lifetime: 20m
            offers_last: 1h
            orphans: forbidden
            seats_per_buyer: 8
            focal_point: {x: 0, y: 100}
        """
    )
    .replacing("rows: A to L, 25 seats each", with: "rows: {A: 20, B: {seats: 24, aisles_after: [16, 8]}}")
    .replacing("rows: M to T, 25 seats each", with: "capacity: 40")
    .replacing("wants: best 1 to 4", with: "wants: best 1 to 4 in floor split")
    let scenario = try ScenarioFile.parse(yaml, file: "sold-out.yaml")
    let show = try #require(scenario.shows.first)
    #expect(show.totalSeats == 84)
    #expect(show.seatIDs.last == SeatID(unchecked: "balcony-40"))
    #expect(show.policy == .init(orphans: .forbidden, seatsPerBuyer: 8, holdLifetimeSeconds: 1_200))
    #expect(
      scenario.actors.map(\.wants) == [.best(1...4, section: SectionID(unchecked: "floor"), together: false)])
    let schedule = show.schedule
    #expect(schedule.focalPoint == .init(x: 0, y: 100))
    #expect(schedule.sections[0].rows[1].places == Array(1...8) + Array(10...17) + Array(19...26))
    let plan = try SeatPlan(schedule.plan)
    #expect(plan.totalSeats == 84)
  }

  @Test("may price seats by category, keep places for wheelchairs, and ask for them")
  func kinds() throws {
    let scenario = try SampleReports.scenario("house-of-kinds")
    let show = try #require(scenario.shows.first)
    let plan = try SeatPlan(show.schedule.plan)
    #expect(plan.price(of: SeatID(unchecked: "1-1")) == 14_000)
    #expect(plan.price(of: SeatID(unchecked: "4-1")) == 3_500)
    let row = try #require(show.sections.last?.rows.last)
    #expect(row.wheelchair.count == 8)
    #expect(row.companion == [2, 3, 6, 7, 10, 11, 14, 15])
    #expect(
      scenario.actors.map(\.wants) == [
        .best(2...2, section: nil, category: CategoryID(unchecked: "premium")),
        .best(2...2, section: nil, category: CategoryID(unchecked: "standard")),
        .best(2...2, section: nil, accessible: 1), .best(1...1, section: nil),
      ])
  }

  @Test("has people who wait, look, sit at a desk, pay by card and give back, each with keys of their own")
  func actors() throws {
    let line = try #require(try SampleReports.scenario("waiting-list").actors.first { $0.kind == .waiters })
    #expect(line.looksAt.count == 5)
    #expect(line.abandonsBasisPoints == 2_500)
    let cards = try SampleReports.scenario("cards")
    #expect(Set(cards.actors[0].cards) == Set(SandboxCard.allCases))
    #expect(ScenarioPlan(cards).buyers.prefix(11).map(\.card) == SandboxCard.allCases.map(Optional.some))
    // Who paid by card asks at the end, when everything has come.
    let last = try #require(ScenarioPlan(cards).steps.last)
    #expect(last.at == cards.clock.runsUntil)
    #expect(last.waves.flatMap(\.actions).allSatisfy { $0.kind == .ask })
    let back = try SampleReports.scenario("giving-back")
    #expect(back.notificationsFailEvery == 3)
    #expect(
      back.cancellations
        == CancellationPolicy([
          .init(hours: 168, feeBasisPoints: 0), .init(hours: 24, feeBasisPoints: 1_000),
          .init(hours: 0, feeBasisPoints: 5_000),
        ]))
    #expect(back.actors.map(\.givesBack) == [.all, .seats(1), .all, nil, nil])
    #expect(ScenarioPlan(back).steps.flatMap(\.calledOff) == [ShowID(unchecked: "second-evening")])
    let watchers = ScenarioPlan(try SampleReports.scenario("watchers"))
    #expect(watchers.steps[0].pollers.count == 30)
    #expect(watchers.buyers.count == 400)
  }

  @Test("names its controls and what each must break")
  func controls() throws {
    #expect(
      try SampleReports.scenario("last-seat").controls == [
        .init(strategy: .readModelCheck, breaks: .noSeatBookedTwice),
        .init(strategy: .anyVersion, breaks: .exactlyOneWinner),
      ])
  }

  @Test("takes payments and cancellations on its own clock")
  func clock() throws {
    let refund = try SampleReports.scenario("month-end-refund")
    let cancelsAt = try #require(Timestamp(rfc3339: "2026-12-01T00:10:00+01:00"))
    #expect(refund.actors.first?.cancels == .at(cancelsAt))
    #expect(try SampleReports.scenario("hold-expiry").actors.map(\.pays).contains(.after(.seconds(599))))
    let expiry = try SampleReports.scenario("hold-expiry")
    #expect(expiry.clock.runsUntil == expiry.clock.startsAt + .seconds(3_600))
  }

  @Test("names the process to kill, and invariants say what they expect")
  func faultsAndParameters() throws {
    let crash = try SampleReports.scenario("crash")
    #expect(
      crash.faults
        == [.kill(Fault.Kill(worker: 1, afterAcknowledged: 100, restartAfter: .milliseconds(500)))])
    #expect(crash.invariants.contains(Invariant(.winners, .count(300))))
    let refund = try SampleReports.scenario("month-end-refund")
    let month = try #require(Month("2026-12"))
    let amount = try #require(Currency("EUR").map { Money(minorUnits: 9000, currency: $0) })
    #expect(
      refund.invariants.contains(
        Invariant(
          .refundInMonth,
          .money(.init(account: AccountID(unchecked: "annas-company"), month: month, amount: amount)))))
  }

  @Test("that cannot be opened says so")
  func missingFile() {
    #expect(throws: ScenarioFileError.self) { try ScenarioFile.load(path: "/nonexistent/x.yaml") }
    #expect(throws: ScenarioFileError.self) { try ScenarioFile.load(path: "/") }
  }

  @Test("survives being cut off anywhere")
  func truncated() throws {
    let text = try String(contentsOfFile: SampleReports.scenarioDirectory + "/crash.yaml", encoding: .utf8)
    for length in stride(from: 0, to: text.count - 40, by: 97) {
      let error = #expect(throws: ScenarioFileError.self) {
        try ScenarioFile.parse(String(text.prefix(length)), file: "cut.yaml")
      }
      #expect(error?.problems.isEmpty == false)
    }
  }

  @Test("documents every invariant that it may name")
  func documentation() {
    for name in InvariantName.allCases {
      #expect(name.statement.hasSuffix("."))
      #expect(name.rawValue.allSatisfy { $0.isLowercase || $0 == "-" })
    }
  }
}
