import Booking
import Testing
import Vocabulary

/// Houses, sales and wishes by lot, against ``PlainSeating``.
@Suite("The best seats, whatever the house")
struct BestSeatsPropertyTests {
  @Test(
    "side by side are free, leave no seat alone that must not be, are the nearest of all, and are refused only when there are none"
  )
  func together() throws {
    var random = SeededRandom(for: "the best seats side by side are the best of all")
    var (found, refused) = (0, 0)
    for _ in 0..<1_500 {
      let trial = try Trial(&random)
      let best = trial.wish(together: true, &random)
      let expected = trial.plain.bestBlock(for: best, free: trial.free)
      let seats = try trial.decide(best)
      #expect(seats == expected, "\(best) in \(trial.document), free: \(trial.freeNames)")
      if seats == nil { refused += 1 } else { found += 1 }
    }
    #expect(found > 200 && refused > 200, "the lot was one-sided: \(found) found, \(refused) refused")
  }

  @Test(
    "in groups are free, leave no seat alone that must not be, and are refused only when there is no way at all"
  )
  func split() throws {
    var random = SeededRandom(for: "a party that may be split is seated if there is any way")
    var (found, refused, parted) = (0, 0, 0)
    for _ in 0..<1_500 {
      let trial = try Trial(&random)
      var best = trial.wish(together: false, &random)
      best.accessible = 0
      guard let ways = trial.plain.selections(for: best, free: trial.free) else { continue }
      let seats = try trial.decide(best)
      guard let seats else {
        refused += 1
        #expect(ways.isEmpty, "\(best) was refused in \(trial.document), free: \(trial.freeNames)")
        continue
      }
      found += 1
      #expect(ways.contains(seats), "\(best) got \(seats) in \(trial.document), free: \(trial.freeNames)")
      if let block = trial.plain.bestBlock(for: best, free: trial.free) {
        #expect(seats == block, "split although they fit side by side")
      } else {
        parted += 1
        if trial.plain.orphans == .allowed {
          #expect(trial.plain.groups(of: seats) == ways.map(trial.plain.groups).min())
        }
      }
    }
    #expect(found > 200 && refused > 50 && parted > 50, "one-sided: \(found), \(refused), \(parted)")
  }

  @Test("are found where taking the largest group first would lead into a corner")
  func corner() throws {
    // Five, two and two: five and a single one would leave a seat alone.
    var schedule = Lear.schedule
    schedule.policy.orphans = .forbidden
    schedule.sections = [
      .init(id: "s", price: 1, rows: [("A", 5), ("B", 2), ("C", 2)].map { .init(id: $0.0, seats: $0.1) })
    ]
    let state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    let wish = Booking.Best(count: 6, together: false)
    let command = Booking.Command.hold(.init(holdID: "h1", buyer: "regan", seats: .best(wish)))
    guard case .seatsHeld(let fact)? = try Booking.decide(command, state, at: Lear.noon).last else {
      Issue.record("nothing held")
      return
    }
    let rows = Dictionary(grouping: fact.seats) { $0.rawValue.first }.mapValues(\.count)
    #expect(rows == ["A": 2, "B": 2, "C": 2])
  }

  @Test("sell a house of 8,000 to parties of 1 to 4 without ever leaving a seat alone")
  func wholeHouse() throws {
    var random = SeededRandom(for: "a whole house without orphans")
    let rows = (1...100).map { SeatPlan.Row(id: RowID(unchecked: "r\($0)"), seats: 80) }
    var schedule = Lear.schedule
    schedule.policy.orphans = .forbidden
    schedule.sections = [.init(id: "s", price: 1, rows: rows)]
    schedule.focalPoint = .init(x: 0, y: 2_000)
    var state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    var sold = 0
    var number = 0
    var counts = [1, 2, 3, 4]
    while !counts.isEmpty {
      let count = counts.randomElement(using: &random) ?? 1
      number += 1
      let command = Lear.best(count, as: HoldID(unchecked: "h\(number)"))
      do throws(Booking.Rejection) {
        for event in try Booking.decide(command, state, at: Lear.noon) { Booking.evolve(&state, event) }
        sold += count
      } catch {
        // Never asked for again: whoever comes later finds no more than there is now.
        counts.removeAll { $0 == count }
        continue
      }
      if counts.count < 4 { counts = counts.filter { $0 <= 8_000 - sold } }
    }
    let plan = try #require(state.plan)
    let free = Set(
      (0..<plan.totalSeats).filter { state.occupancy(of: plan.seat(at: $0), at: Lear.noon) == .available })
    let alone = free.filter { seat in
      !free.contains(seat - 1) && !free.contains(seat + 1)
    }
    #expect(alone.isEmpty, "\(alone.map(plan.seat(at:)))")
    #expect(sold + free.count == 8_000)
  }
}

private struct Trial {
  let document: SeatPlan.Document
  let plain: PlainSeating
  let state: Booking.State
  let free: Set<Int>

  init(_ random: inout SeededRandom) throws {
    var schedule = Lear.schedule
    schedule.policy.orphans = Booking.Policy.Orphans.allCases.randomElement(using: &random) ?? .allowed
    schedule.categories = ["a", "b"].map { .init(id: $0, name: "Some", price: 100) }
    schedule.sections = (1...Int.random(in: 1...2, using: &random)).map { Self.section($0, &random) }
    if Bool.random(using: &random) {
      schedule.focalPoint = .init(
        x: 50 * Int.random(in: -6...6, using: &random), y: 50 * Int.random(in: -2...8, using: &random))
    }
    let plain = PlainSeating(schedule.plan, orphans: schedule.policy.orphans)
    var state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    var free = Set(plain.seats.indices.filter { !plain.seats[$0].blocked })
    let share = Int.random(in: 0...70, using: &random)
    for seat in plain.seats.indices
    where free.contains(seat) && Int.random(in: 0..<100, using: &random) < share {
      Booking.evolve(&state, Lear.held(HoldID(unchecked: "t\(seat)"), by: "fool", plain.seats[seat].id))
      free.remove(seat)
    }
    document = schedule.plan
    self.plain = plain
    self.state = state
    self.free = free
  }

  private static func section(_ number: Int, _ random: inout SeededRandom) -> SeatPlan.Section {
    let id = SectionID(unchecked: "s\(number)")
    if Int.random(in: 0..<8, using: &random) == 0 {
      return .init(id: id, category: "a", capacity: .random(in: 1...4, using: &random))
    }
    let rows = (1...Int.random(in: 1...3, using: &random)).map { row -> SeatPlan.Row in
      let count = Int.random(in: 1...7, using: &random)
      var places: [Int] = []
      for _ in 0..<count {
        places.append((places.last ?? 0) + (Int.random(in: 0..<6, using: &random) == 0 ? 2 : 1))
      }
      let labels = (1...count).map { String(2 * $0 - 1) }.reversed()
      let special = (0..<2).compactMap { _ -> SeatPlan.Special? in
        guard Int.random(in: 0..<3, using: &random) == 0 else { return nil }
        return SeatPlan.Special(
          seats: [labels.randomElement(using: &random) ?? "1"],
          category: Bool.random(using: &random) ? "b" : nil,
          kind: SeatPlan.Kind.allCases.randomElement(using: &random),
          blocked: Int.random(in: 0..<4, using: &random) == 0)
      }
      return .init(
        id: RowID(unchecked: "s\(number)r\(row)"), seats: count, labels: Array(labels), places: places,
        category: Bool.random(using: &random) ? "b" : nil,
        x: Bool.random(using: &random) ? 50 * Int.random(in: -4...4, using: &random) : nil,
        y: Bool.random(using: &random) ? 50 * Int.random(in: 0...6, using: &random) : nil, special: special)
    }
    return .init(id: id, category: "a", rows: rows)
  }

  func wish(together: Bool, _ random: inout SeededRandom) -> Booking.Best {
    let count = Int.random(in: 1...5, using: &random)
    return Booking.Best(
      count: count,
      section: Int.random(in: 0..<4, using: &random) == 0
        ? document.sections.randomElement(using: &random)?.id : nil,
      category: Int.random(in: 0..<4, using: &random) == 0 ? ["a", "b"].randomElement(using: &random) : nil,
      together: together,
      accessible: Int.random(in: 0..<4, using: &random) == 0
        ? .random(in: 0...min(2, count), using: &random) : 0)
  }

  /// The seats that are held for the wish, as their numbers; nil if it is refused.
  func decide(_ best: Booking.Best) throws -> [Int]? {
    let command = Booking.Command.hold(.init(holdID: "h1", buyer: "regan", seats: .best(best)))
    do throws(Booking.Rejection) {
      let events = try Booking.decide(command, state, at: Lear.noon)
      guard case .seatsHeld(let fact)? = events.last, events.count == 1 else {
        Issue.record("unexpected: \(events)")
        return nil
      }
      return fact.seats.compactMap { seat in plain.seats.firstIndex { $0.id == seat } }
    } catch {
      #expect(
        error == (best.together ? .noAdjacentSeats(count: best.count) : .notEnoughSeats(count: best.count)))
      return nil
    }
  }

  var freeNames: [String] { free.sorted().map { plain.seats[$0].id.rawValue } }
}
