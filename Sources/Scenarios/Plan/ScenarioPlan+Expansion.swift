import Booking
import Services
import Vocabulary

extension ScenarioPlan {
  /// Expands a scenario.
  ///
  /// `run` labels this run and becomes part of every id (`the-tempest.r7`), so that a scenario can be run again on
  /// the same database; at most 24 letters, digits and `.`, `_`, `-`. A label that is not is a programming mistake
  /// and is replaced by none.
  public init(_ scenario: ScenarioFile, strategy: Strategy? = nil, seed: UInt64? = nil, run: String? = nil) {
    let ids = RunIDs(label: run)
    self.scenario = scenario
    self.strategy = strategy ?? scenario.strategy
    self.seed = seed ?? scenario.seed
    shows = scenario.shows.map { show in
      var show = show
      show.id = ids.labelled(show.id)
      return show
    }
    accounts = scenario.accounts.map { account in
      var account = account
      account.id = ids.labelled(account.id)
      return account
    }
    let members = Self.members(of: scenario, seed: self.seed, ids: ids)
    buyers = members.flatMap(\.buyers)
    steps = Self.steps(of: scenario, members: members, seed: self.seed)
  }

  private struct Members {
    let group: ActorGroup
    let buyers: [PlannedBuyer]
  }

  private static func members(of scenario: ScenarioFile, seed: UInt64, ids: RunIDs) -> [Members] {
    var first = 0
    return scenario.actors.map { group in
      let width = String(group.count).count
      let buyers = (0..<group.count).map { member in
        let number = String(member + 1)
        let name = "\(group.name)-" + String(repeating: "0", count: width - number.count) + number
        var lot = SeededGenerator(seed: seed, subject: name)
        return PlannedBuyer(
          index: first + member,
          id: BuyerID(unchecked: name),
          group: group.name,
          account: ids.labelled(group.accounts[member % group.accounts.count]),
          show: ids.labelled(group.show),
          wish: group.wants.drawn(by: &lot),
          hold: ids.hold(of: group.show, "\(scenario.name).\(name)"),
          order: OrderID(unchecked: ids.labelled("\(scenario.name).\(name)")),
          thinkTime: lot.duration(in: group.thinkTime),
          sends: group.repeatEachRequest,
          abandons: lot.number(in: 0...9_999) < group.abandonsBasisPoints,
          worker: scenario.processes.map { 1 + (first + member) % $0 })
      }
      first += group.count
      return Members(group: group, buyers: buyers)
    }
  }

  private static func steps(of scenario: ScenarioFile, members: [Members], seed: UInt64) -> [PlannedStep] {
    var waves: [Timestamp: [PlannedWave]] = [:]
    func add(_ actions: [PlannedAction], of group: ActorGroup, at instant: Timestamp) {
      guard !actions.isEmpty else { return }
      waves[instant, default: []].append(
        PlannedWave(group: group.name, concurrency: group.concurrency, actions: actions))
    }

    for one in members {
      let group = one.group
      let payers = one.buyers.filter { !$0.abandons && group.pays != .never }
      let paying = Set(payers.map(\.index))
      var order = SeededGenerator(seed: seed, subject: group.name)
      let arrivals = order.shuffled(one.buyers)
      add(
        arrivals.map { buyer in
          PlannedAction(
            kind: group.pays == .atOnce && paying.contains(buyer.index) ? .buy : .hold, buyer: buyer.index)
        }, of: group, at: group.startsAt)
      if case .after(let delay) = group.pays {
        add(
          order.shuffled(payers).map { PlannedAction(kind: .pay, buyer: $0.index) }, of: group,
          at: group.startsAt + delay)
      }
      let cancelsAt: Timestamp? =
        switch group.cancels {
        case .never: nil
        case .at(let instant): instant
        case .after(let delay): group.startsAt + delay
        }
      if let cancelsAt {
        add(
          order.shuffled(payers).map { PlannedAction(kind: .cancel, buyer: $0.index) }, of: group,
          at: cancelsAt)
      }
    }

    var steps = waves.sorted { $0.key < $1.key }.map { PlannedStep(at: $0.key, waves: $0.value) }
    if let end = scenario.clock.runsUntil, end > (steps.last?.at ?? scenario.clock.startsAt) {
      steps.append(PlannedStep(at: end, waves: []))
    }
    return steps
  }
}

/// Puts a run's label behind ids.
private struct RunIDs {
  let suffix: String

  init(label: String?) {
    let fits = label.map { label in
      (1...24).contains(label.count)
        && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }
    suffix = fits == true ? "." + (label ?? "") : ""
  }

  func labelled(_ id: String) -> String { id + suffix }

  /// A hold's id begins with its show's.
  func hold(of show: ShowID, _ unique: String) -> HoldID {
    let show = labelled(show)
    let unique = labelled(unique)
    return HoldID.make(show: show, unique: unique) ?? HoldID(unchecked: "\(show):\(unique)")
  }

  func labelled<Subject>(_ id: Identifier<Subject>) -> Identifier<Subject> {
    Identifier(unchecked: id.rawValue + suffix)
  }
}

extension SeatWish {
  fileprivate func drawn(by lot: inout SeededGenerator) -> PlannedWish {
    switch self {
    case .named(let seats): .named(seats)
    case .best(let range, let section, let together, let category, let accessible):
      .best(
        Booking.Best(
          count: lot.number(in: range), section: section, category: category, together: together,
          accessible: accessible))
    }
  }
}
