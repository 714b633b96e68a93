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
    accounts = scenario.accounts.map { account in
      var account = account
      account.id = ids.labelled(account.id)
      return account
    }
    var cast = Cast(scenario, seed: self.seed, ids: ids)
    for group in scenario.actors { cast.add(group) }
    let called = scenario.shows.map { show in
      var show = show
      show.id = ids.labelled(show.id)
      return show
    }
    // A show that is played once for each interleaving is only the model of these.
    shows = called.filter { show in !cast.models.contains(show.id) } + cast.copies
    interleavedShows = Set(cast.copies.map(\.id))
    buyers = cast.buyers
    steps = cast.steps(calledOff: called)
  }
}

/// Everybody of a scenario, and what they do when.
private struct Cast {
  let scenario: ScenarioFile
  let seed: UInt64
  let ids: RunIDs
  private(set) var buyers: [PlannedBuyer] = []
  /// Shows that are played once for each interleaving, and those.
  private(set) var models: Set<ShowID> = []
  private(set) var copies: [ShowOnSale] = []
  private var waves: [Timestamp: [PlannedWave]] = [:]
  private var pollers: [Timestamp: [PlannedPoller]] = [:]
  /// Who asks at the end what became of a payment.
  private var questions: [PlannedWave] = []

  init(_ scenario: ScenarioFile, seed: UInt64, ids: RunIDs) {
    self.scenario = scenario
    self.seed = seed
    self.ids = ids
  }

  mutating func add(_ group: ActorGroup) {
    switch group.kind {
    case .buyers, .shoppers: addBuyers(group)
    case .waiters: addWaiters(group)
    case .pollers: addPollers(group)
    case .terminals: addTerminals(group)
    case .interleavings: addInterleavings(group)
    }
  }

  func steps(calledOff shows: [ShowOnSale]) -> [PlannedStep] {
    var calledOff: [Timestamp: [ShowID]] = [:]
    for show in shows {
      if let instant = show.calledOffAt { calledOff[instant, default: []].append(show.id) }
    }
    let instants = Set(waves.keys).union(pollers.keys).union(calledOff.keys).sorted()
    var steps = instants.map { instant in
      PlannedStep(
        at: instant, waves: waves[instant] ?? [], pollers: pollers[instant] ?? [],
        calledOff: calledOff[instant] ?? [])
    }
    if let end = scenario.clock.runsUntil {
      if end > (steps.last?.at ?? scenario.clock.startsAt) { steps.append(PlannedStep(at: end, waves: [])) }
      // When everything that was still to come has come.
      if !questions.isEmpty {
        steps.append(PlannedStep(at: max(end, steps.last?.at ?? end), waves: questions))
      }
    }
    return steps
  }

  // MARK: Kinds of groups

  private mutating func addBuyers(_ group: ActorGroup) {
    let members = members(of: group)
    let payers = members.filter { !$0.abandons && group.pays != .never }
    let paying = Set(payers.map(\.index))
    var order = SeededGenerator(seed: seed, subject: group.name)
    let arrivals = order.shuffled(members)
    add(
      arrivals.map { buyer in
        let buys = group.pays == .atOnce && paying.contains(buyer.index)
        return PlannedAction(kind: group.kind == .shoppers ? .shop : buys ? .buy : .hold, buyer: buyer.index)
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
        order.shuffled(payers).map {
          PlannedAction(kind: group.givesBack == nil ? .cancel : .giveBack, buyer: $0.index)
        }, of: group, at: cancelsAt)
    }
    if !group.cards.isEmpty, !payers.isEmpty {
      questions.append(
        PlannedWave(
          group: group.name, concurrency: group.concurrency,
          actions: payers.map { PlannedAction(kind: .ask, buyer: $0.index) }))
    }
  }

  private mutating func addWaiters(_ group: ActorGroup) {
    let members = members(of: group)
    var order = SeededGenerator(seed: seed, subject: group.name)
    add(
      order.shuffled(members).map { PlannedAction(kind: .join, buyer: $0.index) }, of: group,
      at: group.startsAt)
    for instant in group.looksAt {
      add(order.shuffled(members).map { PlannedAction(kind: .look, buyer: $0.index) }, of: group, at: instant)
    }
  }

  private mutating func addPollers(_ group: ActorGroup) {
    pollers[group.startsAt, default: []] += (0..<group.count).map { member in
      let name = name(of: member, in: group, of: group.count)
      var lot = SeededGenerator(seed: seed, subject: name)
      return PlannedPoller(
        name: name, show: ids.labelled(group.shows[0]), pause: lot.duration(in: group.thinkTime))
    }
  }

  /// Which reservations a terminal changes is decided as if every one had worked out; one that did not is then found
  /// missing, as in the benchmark.
  private mutating func addTerminals(_ group: ActorGroup) {
    let shares = MixedOperation.allCases.map { ($0, group.mix[$0] ?? 0) }
    for terminal in 0..<group.count {
      let desk = name(of: terminal, in: group, of: group.count)
      var lot = SeededGenerator(seed: seed, subject: desk)
      let deskIndex = buyers.count
      buyers.append(buyer(desk, in: group, member: terminal, show: group.shows[0], terminal: deskIndex, &lot))
      var customers: [Int] = []
      var actions: [PlannedAction] = []
      for number in 1...group.operations {
        var drawn = lot.number(in: 0...9_999)
        var operation = MixedOperation.newReservation
        for (candidate, share) in shares {
          if drawn < share {
            operation = candidate
            break
          }
          drawn -= share
        }
        let kind = PlannedAction.Kind(operation)
        switch operation {
        case .findOpenSeats, .findFlights:
          // A look at some flight: the desk asks for itself.
          let index = buyers.count
          let show = group.shows[lot.number(in: 0...group.shows.count - 1)]
          buyers.append(
            buyer(
              "\(desk)-look-\(number)", in: group, member: terminal, show: show, terminal: deskIndex, &lot))
          actions.append(PlannedAction(kind: kind, buyer: index))
        case .updateReservation, .updateCustomer, .deleteReservation:
          if !customers.isEmpty {
            let place = lot.number(in: 0...customers.count - 1)
            actions.append(PlannedAction(kind: kind, buyer: customers[place]))
            if operation == .deleteReservation { customers.remove(at: place) }
            continue
          }
          fallthrough
        case .newReservation:
          let show = group.shows[lot.number(in: 0...group.shows.count - 1)]
          customers.append(buyers.count)
          actions.append(PlannedAction(kind: .newReservation, buyer: buyers.count))
          buyers.append(
            buyer(
              "\(desk)-customer-\(number)", in: group, member: terminal, show: show, terminal: deskIndex, &lot
            ))
        }
      }
      // One thing after the other.
      waves[group.startsAt, default: []].append(
        PlannedWave(group: group.name, concurrency: 1, actions: actions))
    }
  }

  private mutating func addInterleavings(_ group: ActorGroup) {
    guard let model = scenario.shows.first(where: { $0.id == group.shows[0] }) else { return }
    models.insert(ids.labelled(model.id))
    let orders = Interleavings.all(of: group.events)
    var actions: [PlannedAction] = []
    for (number, events) in orders.enumerated() {
      let name = name(of: number, in: group, of: orders.count)
      var show = model
      show.id = ShowID(unchecked: "\(model.id)-\(name)")
      var lot = SeededGenerator(seed: seed, subject: name)
      actions.append(PlannedAction(kind: .interleave, buyer: buyers.count))
      buyers.append(buyer(name, in: group, member: number, show: show.id, events: events, &lot))
      show.id = ids.labelled(show.id)
      copies.append(show)
    }
    waves[group.startsAt, default: []].append(
      PlannedWave(group: group.name, concurrency: max(16, group.concurrency), actions: actions))
  }

  // MARK: Members

  private mutating func members(of group: ActorGroup) -> [PlannedBuyer] {
    (0..<group.count).map { member in
      let name = name(of: member, in: group, of: group.count)
      var lot = SeededGenerator(seed: seed, subject: name)
      let buyer = buyer(name, in: group, member: member, show: group.shows[0], &lot)
      buyers.append(buyer)
      return buyer
    }
  }

  private func name(of member: Int, in group: ActorGroup, of count: Int) -> String {
    let number = String(member + 1)
    return "\(group.name)-" + String(repeating: "0", count: String(count).count - number.count) + number
  }

  private func buyer(
    _ name: String, in group: ActorGroup, member: Int, show: ShowID, terminal: Int? = nil,
    events: [InterleavedEvent] = [], _ lot: inout SeededGenerator
  ) -> PlannedBuyer {
    let index = buyers.count
    let hold = ids.hold(of: show, "\(scenario.name).\(name)")
    return PlannedBuyer(
      index: index, id: BuyerID(unchecked: name), group: group.name,
      account: ids.labelled(group.accounts[member % group.accounts.count]), show: ids.labelled(show),
      wish: group.wants.drawn(by: &lot), hold: hold,
      order: OrderID(unchecked: ids.labelled("\(scenario.name).\(name)")),
      thinkTime: lot.duration(in: group.thinkTime), sends: group.repeatEachRequest,
      abandons: lot.number(in: 0...9_999) < group.abandonsBasisPoints,
      card: group.cards.isEmpty ? nil : group.cards[member % group.cards.count], givesBack: group.givesBack,
      givesUp: group.givesUp, waiting: WaitingID(unchecked: hold.rawValue), terminal: terminal,
      interleaving: events,
      worker: scenario.processes.map { 1 + index % $0 })
  }

  private mutating func add(_ actions: [PlannedAction], of group: ActorGroup, at instant: Timestamp) {
    guard !actions.isEmpty else { return }
    waves[instant, default: []].append(
      PlannedWave(group: group.name, concurrency: group.concurrency, actions: actions))
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
