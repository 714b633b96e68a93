import Services
import Vocabulary

extension SectionReader {
  /// What a kind of group wants; nil if that cannot be read.
  func wish(of kind: ActorGroup.Kind, in show: ShowOnSale?) -> SeatWish? {
    let one = SeatWish.best(1...1, section: nil)
    switch kind {
    case .pollers, .terminals: return one
    case .interleavings:
      guard let show else { return nil }
      guard show.totalSeats == 1 else {
        value.fail("plays every order of events for one seat, but \(show.id) has \(show.totalSeats)")
        return nil
      }
      return .named(show.seatIDs)
    case .buyers, .waiters, .shoppers:
      guard let entry = required("wants", example: "best 2") else { return nil }
      guard let show, let wish = entry.wish(in: show) else { return nil }
      if kind == .waiters, case .named = wish {
        entry.fail("names seats; who waits says how many and of which kind, as in `best 2`")
        return nil
      }
      return wish
    }
  }

  /// What only a kind of group has, as a change of the group; nil if it cannot be read.
  func details(
    of kind: ActorGroup.Kind, _ start: Timestamp, _ context: ScenarioContext
  ) -> ((inout ActorGroup) -> Void)? {
    switch kind {
    case .buyers: buyers(start, context)
    case .waiters: waiters(start, context)
    case .shoppers: shoppers()
    case .pollers: { _ in }
    case .terminals: terminals()
    case .interleavings: interleavings()
    }
  }

  private func buyers(
    _ start: Timestamp, _ context: ScenarioContext
  ) -> ((inout ActorGroup) -> Void)? {
    let pays = optional("pays").map { $0.payment() } ?? .atOnce
    let repeats = optional("repeat_each_request").map { $0.number(in: 1...100) } ?? 1
    let cancels = optional("cancels").map { $0.cancellation(groupStart: start, pays: pays) } ?? .never
    let cards = optional("card").map { $0.cards() } ?? []
    let givesBack = optional("gives_back").map { $0.givesBack() }
    if let entry = optional("gives_back"), optional("cancels") == nil {
      entry.fail("needs the key cancels, which says when, as in `cancels: after 1h`")
      return nil
    }
    if let entry = optional("card"), cards?.isEmpty == false, context.clock.runsUntil == nil {
      entry.fail(
        "needs `runs_until` in the clock: only then does everybody ask what became of the payment, as in `runs_until: +1h`"
      )
      return nil
    }
    guard let pays, let repeats, let cancels, let cards else { return nil }
    if let givesBack, givesBack == nil { return nil }
    return { group in
      group.pays = pays
      group.repeatEachRequest = repeats
      group.cancels = cancels
      group.cards = cards
      group.givesBack = givesBack ?? nil
    }
  }

  private func waiters(
    _ start: Timestamp, _ context: ScenarioContext
  ) -> ((inout ActorGroup) -> Void)? {
    guard let entry = required("looks_at", example: "[+1h, +2h]") else { return nil }
    let entries = entry.list(of: "instants", orSingle: true)
    let looks = entries.compactMap { entry -> Timestamp? in
      guard let instant = entry.startInstant(context.clock) else { return nil }
      guard instant > start else {
        entry.fail("is not after the group starts to wait, \(start.rfc3339)")
        return nil
      }
      return instant
    }
    guard looks.count == entries.count else { return nil }
    return { $0.looksAt = Set(looks).sorted() }
  }

  private func shoppers() -> ((inout ActorGroup) -> Void)? {
    guard let entry = optional("gives_up") else { return { _ in } }
    guard let givesUp = entry.choice(ActorGroup.GivesUp.self) else { return nil }
    return { $0.givesUp = givesUp }
  }

  private func terminals() -> ((inout ActorGroup) -> Void)? {
    let operations = required("operations", example: "100")?.number(in: 1...100_000)
    let example = "{find-open-seats: 35%, new-reservation: 20%, …}"
    guard let entry = required("mix", example: example) else { return nil }
    guard let mapping = entry.node.mapping else {
      entry.fail("must be operations with their shares, as in \(example), not \(entry.shown)")
      return nil
    }
    var mix: [MixedOperation: Int] = [:]
    for (key, node) in mapping {
      let reader = ValueReader(node: key, path: entry.path, problems: entry.problems)
      guard let operation = reader.choice(MixedOperation.self) else { return nil }
      let share = ValueReader(
        node: node, path: "\(entry.path).\(operation.rawValue)", problems: entry.problems)
      guard let points = share.parsed("a share from 0% to 100%", ScenarioText.percent) else { return nil }
      mix[operation] = points
    }
    let sum = mix.values.reduce(0, +)
    guard sum == 10_000 else {
      entry.fail("comes to \(sum / 100) %; the shares have to come to 100 %")
      return nil
    }
    guard let operations else { return nil }
    return { group in
      group.operations = operations
      group.mix = mix
    }
  }

  private func interleavings() -> ((inout ActorGroup) -> Void)? {
    guard let entry = required("events", example: "[expire, pay, pay, other, cancel, restart]") else {
      return nil
    }
    let entries = entry.list(of: "events", limit: 8)
    let events = entries.compactMap { $0.choice(InterleavedEvent.self) }
    guard events.count == entries.count, !events.isEmpty else { return nil }
    guard events.contains(.pay) || events.contains(.payAndDie) else {
      entry.fail("has no payment; add pay or pay-and-die")
      return nil
    }
    return { $0.events = events }
  }
}

extension ValueReader {
  /// `decline`, or `[approve, late]`.
  fileprivate func cards() -> [SandboxCard]? {
    let entries = list(of: "test cards", orSingle: true)
    let cards = entries.compactMap { $0.choice(SandboxCard.self) }
    return cards.count == entries.count && !cards.isEmpty ? cards : nil
  }

  /// `all`, `1 seat`, `2 seats`.
  fileprivate func givesBack() -> ActorGroup.GivesBack? {
    parsed("`all`, or as in `1 seat` or `2 seats`") { text in
      if text == "all" { return .all }
      let words = text.split(separator: " ")
      guard words.count == 2, ["seat", "seats"].contains(words[1]), let count = Int(words[0]),
        (1...100).contains(count)
      else { return nil }
      return .seats(count)
    }
  }
}
