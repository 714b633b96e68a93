import Testing
import Vocabulary

@testable import Scenarios

@Suite("The history of a house")
struct SeatHistoryTests {
  private static func seat(_ name: String) -> SeatID { SeatID(unchecked: name) }

  /// A row of three and a row of two in different sections.
  private func history(_ changes: [(Int64, String, Bool)], watching wishes: [PlannedWish]) throws
    -> SeatHistory
  {
    var show = try SampleReports.scenario("last-seat").shows[0]
    show.sections = [
      .init(id: SectionID(unchecked: "front"), price: 1, rows: [.init(id: "A", seats: 3)]),
      .init(id: SectionID(unchecked: "back"), price: 1, rows: [.init(id: "B", seats: 2)]),
    ]
    var history = SeatHistory(show)
    history.watch(Set(wishes))
    for (position, seat, isTaken) in changes {
      history.change(Self.seat(seat), isTaken: isTaken, at: position)
    }
    history.end()
    return history
  }

  @Test("says that a wish for adjacent seats could not be served once no row has enough of them side by side")
  func adjacent() throws {
    let two = PlannedWish.best(2, section: nil)
    let three = PlannedWish.best(3, section: nil)
    let history = try history([(10, "A-2", true), (20, "B-1", true)], watching: [two, three])
    #expect(!history.couldNotServe(three, from: 1, to: 9))
    #expect(history.couldNotServe(three, from: 1, to: 10))
    #expect(!history.couldNotServe(two, from: 1, to: 19))
    #expect(history.couldNotServe(two, from: 15, to: 25))
  }

  @Test("counts the moments at which seats were free again")
  func givenBack() throws {
    let wish = PlannedWish.named([Self.seat("A-1")])
    let history = try history([(10, "A-1", true), (20, "A-1", false), (30, "A-1", true)], watching: [wish])
    #expect(history.couldNotServe(wish, from: 12, to: 19))
    #expect(!history.couldNotServe(wish, from: 20, to: 29))
    #expect(history.couldNotServe(wish, from: 20, to: 30))
  }

  @Test("does not serve a wish for one section from another")
  func sections() throws {
    let wish = PlannedWish.best(1, section: SectionID(unchecked: "back"))
    let history = try history([(5, "B-1", true), (6, "B-2", true)], watching: [wish])
    #expect(!history.couldNotServe(wish, from: 0, to: 5))
    #expect(history.couldNotServe(wish, from: 0, to: 6))
  }

  @Test("takes several changes at one position as one")
  func onePosition() throws {
    let wish = PlannedWish.best(2, section: SectionID(unchecked: "back"))
    let history = try history(
      [(5, "B-1", true), (7, "B-1", false), (7, "B-1", true), (7, "B-1", false)], watching: [wish])
    #expect(history.couldNotServe(wish, from: 5, to: 6))
    #expect(!history.couldNotServe(wish, from: 7, to: 9))
  }

  @Test("serves nobody across an aisle, and leaves no seat alone where the show forbids it")
  func aislesAndOrphans() throws {
    var show = try SampleReports.scenario("last-seat").shows[0]
    show.policy.orphans = .forbidden
    show.sections = [
      .init(id: SectionID(unchecked: "front"), price: 1, rows: [.init(id: "A", seats: 5, aislesAfter: [2])]),
      .init(id: SectionID(unchecked: "floor"), price: 1, rows: [], capacity: 2),
    ]
    let front = SectionID(unchecked: "front")
    let wishes = [
      PlannedWish.best(2, section: front), .best(4, section: front),
      .best(4, section: front, together: false),
      .best(2, section: SectionID(unchecked: "floor")), .best(5, section: nil, together: false),
    ]
    func served(_ taken: [String]) -> [Bool] {
      var history = SeatHistory(show)
      history.watch(Set(wishes))
      for seat in taken { history.change(Self.seat(seat), isTaken: true, at: 1) }
      history.end()
      return wishes.map { !history.couldNotServe($0, from: 1, to: 1) }
    }
    // Two and three seats: four of five would leave one alone.
    #expect(served([]) == [true, false, false, true, true])
    // Two of three would leave one alone; A-2 is alone already, and may be taken.
    #expect(served(["A-1"]) == [false, false, true, true, true])
    #expect(served(["A-1", "A-2"]) == [false, false, false, true, true])
    #expect(served(["A-3"]) == [true, false, true, true, true])
    #expect(served(["floor-2"]) == [true, false, false, false, true])
  }
}
