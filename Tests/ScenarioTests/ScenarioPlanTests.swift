import Testing
import Vocabulary

@testable import Scenarios

@Suite("A plan")
struct ScenarioPlanTests {
  @Test("is the same for the same seed, and another for another")
  func deterministic() throws {
    let scenario = try SampleReports.scenario("sold-out")
    #expect(ScenarioPlan(scenario) == ScenarioPlan(scenario))
    #expect(ScenarioPlan(scenario).buyers.map(\.wish) != ScenarioPlan(scenario, seed: 501).buyers.map(\.wish))
  }

  @Test("draws the same numbers on every machine")
  func generator() {
    // The reference sequence of SplitMix64 for 1234567; the hash of no subject is the FNV offset.
    var lot = SeededGenerator(seed: 1_234_567 ^ 0xcbf2_9ce4_8422_2325, subject: "")
    let numbers = (0..<3).map { _ in lot.next() }
    #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test("draws groups of every size asked for, about equally often")
  func groups() throws {
    let plan = ScenarioPlan(try SampleReports.scenario("sold-out"))
    var sizes: [Int: Int] = [:]
    for buyer in plan.buyers { sizes[buyer.wish.count, default: 0] += 1 }
    #expect(sizes.keys.sorted() == [1, 2, 3, 4])
    #expect(sizes.values.allSatisfy { (400...600).contains($0) })
  }

  @Test("does not change what one group does when another is added")
  func independentGroups() throws {
    var scenario = try SampleReports.scenario("sold-out")
    let before = ScenarioPlan(scenario)
    var late = scenario.actors[0]
    late.name = "late"
    scenario.actors.insert(late, at: 0)
    let after = ScenarioPlan(scenario).buyers.filter { $0.group == "friends" }
    #expect(after.map(\.wish) == before.buyers.map(\.wish))
    #expect(after.map(\.id) == before.buyers.map(\.id))
  }

  @Test("goes through the instants of the scenario's clock in order, everything of one instant at once")
  func steps() throws {
    let plan = ScenarioPlan(try SampleReports.scenario("hold-expiry"))
    let start = plan.scenario.clock.startsAt
    #expect(
      plan.steps.map(\.at) == [start, start + .seconds(599), start + .seconds(600), start + .seconds(3_600)])
    #expect(
      plan.steps.map { $0.waves.map(\.group) } == [
        ["punctual", "too-late"], ["punctual", "hopeful"], ["too-late", "lucky"], [],
      ])
    #expect(plan.steps[0].waves.flatMap(\.actions).allSatisfy { $0.kind == .hold })
    #expect(plan.steps[1].waves.map { Set($0.actions.map(\.kind)) } == [[.pay], [.buy]])
    #expect(plan.actionCount == 20 + 20 + 20 + 20 + 40 + 40)
  }

  @Test("of a shipped scenario in which everybody must win has room for all of them")
  func roomForAll() throws {
    for name in ["crash", "duplicate-requests", "month-end-refund"] {
      let plan = ScenarioPlan(try SampleReports.scenario(name))
      let wanted = plan.buyers.reduce(0) { $0 + $1.wish.count }
      // A pair may leave one seat of each row unused.
      let rows = plan.shows[0].sections.reduce(0) { $0 + $1.rows.count }
      #expect(wanted <= plan.shows[0].totalSeats - rows, "\(name)")
    }
  }

  @Test("lets everybody cancel who bought")
  func cancellations() throws {
    let plan = ScenarioPlan(try SampleReports.scenario("month-end-refund"))
    #expect(
      plan.steps.map { $0.waves.flatMap(\.actions).map(\.kind) } == [
        [.buy, .buy, .buy], [.cancel, .cancel], [],
      ])
  }

  @Test("has some hold seats and never come back, about as many as asked for")
  func abandoned() throws {
    var scenario = try SampleReports.scenario("sold-out")
    scenario.actors[0].abandonsBasisPoints = 2_500
    let plan = ScenarioPlan(scenario)
    let abandoned = plan.buyers.filter(\.abandons)
    #expect((400...600).contains(abandoned.count))
    let holds = plan.steps[0].waves[0].actions.filter { $0.kind == .hold }
    #expect(Set(holds.map(\.buyer)) == Set(abandoned.map(\.index)))
  }

  @Test("deals buyers out to processes and accounts in turn")
  func dealing() throws {
    let two = ScenarioPlan(try SampleReports.scenario("two-processes"))
    #expect(two.buyers.filter { $0.worker == 1 }.count == 100)
    #expect(two.buyers.filter { $0.worker == 2 }.count == 100)
    let clubs = ScenarioPlan(try SampleReports.scenario("sold-out"))
    #expect(clubs.buyers.prefix(3).map(\.account.rawValue) == ["walk-ins", "fan-club", "walk-ins"])
  }

  @Test("puts the run's label behind the ids that the database sees, and they stay valid")
  func labels() throws {
    let plan = ScenarioPlan(try SampleReports.scenario("last-seat"), run: "r7")
    #expect(plan.shows.map(\.id.rawValue) == ["the-tempest.r7"])
    #expect(plan.accounts.map(\.id.rawValue) == ["walk-ins.r7"])
    #expect(plan.buyers[0].show == plan.shows[0].id)
    #expect(plan.buyers[0].account == plan.accounts[0].id)
    #expect(plan.buyers[0].id.rawValue == "buyers-001")
    #expect(Set(plan.buyers.map(\.hold)).count == 200)
    #expect(plan.buyers.allSatisfy { HoldID($0.hold.rawValue) != nil && OrderID($0.order.rawValue) != nil })
  }
}
