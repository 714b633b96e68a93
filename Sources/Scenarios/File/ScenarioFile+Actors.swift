import Vocabulary

extension ValueReader {
  /// The `actors` section; nil if it has problems.
  func actors(_ context: ScenarioContext) -> [ActorGroup]? {
    var seen: Set<String> = []
    let entries = list(of: "groups of actors")
    let groups = entries.compactMap { entry -> ActorGroup? in
      guard let group = entry.actorGroup(context) else { return nil }
      if !seen.insert(group.name).inserted { entry.fail("the group \(group.name) is there twice") }
      return group
    }
    return groups.count == entries.count && !groups.isEmpty ? groups : nil
  }

  /// The keys of each kind of group besides those that all have.
  private static func keys(of kind: ActorGroup.Kind) -> [String] {
    let own: [String] =
      switch kind {
      case .buyers:
        [
          "concurrency", "account", "wants", "think_time", "pays", "card", "cancels", "gives_back",
          "abandons",
          "repeat_each_request",
        ]
      case .waiters: ["concurrency", "account", "wants", "looks_at", "abandons"]
      case .shoppers: ["concurrency", "account", "wants", "think_time", "gives_up"]
      case .pollers: ["think_time"]
      case .terminals: ["account", "operations", "mix", "think_time"]
      case .interleavings: ["concurrency", "account", "events"]
      }
    return ["name", "kind"] + (kind == .interleavings ? [] : ["count"]) + ["show", "at"] + own
  }

  private func actorGroup(_ context: ScenarioContext) -> ActorGroup? {
    // What may be there depends on the kind; if that is wrong, it is reported below.
    let known = node.mapping?["kind"]?.scalar.flatMap { ActorGroup.Kind(rawValue: $0.string) }
    let what = known.map { "a group of \($0.rawValue)" } ?? "a group of actors"
    guard let section = section(what, keys: Self.keys(of: known ?? .buyers)) else { return nil }
    let name = section.required("name", example: "buyers")?.groupName()
    let kind = section.required("kind", example: "buyers")?.choice(ActorGroup.Kind.self)
    let count =
      known == .interleavings
      ? 1 : section.required("count", example: "200")?.number(in: 1...100_000)
    let concurrency =
      section.optional("concurrency").map { $0.concurrency(count: known == .interleavings ? 64 : count) }
      ?? count
    guard context.isComplete else { return nil }

    let shows = known == .terminals ? section.shows(context) : section.show(context).map { [$0] }
    let accounts = known == .pollers ? context.accounts.map(\.id) : section.accounts(context)
    let start = section.optional("at").map { $0.startInstant(context.clock) } ?? context.clock.startsAt
    let think =
      section.optional("think_time").map {
        $0.parsed("a duration as in 20ms, or a range as in 5ms to 50ms", ScenarioText.durationRange)
      } ?? (.zero ... .zero)
    let abandons =
      section.optional("abandons").map { $0.parsed("a share from 0% to 100%", ScenarioText.percent) } ?? 0
    if let known, let shows, !section.fits(known, shows) { return nil }
    // What is wrong with it is told as well.
    let wants = known.map { section.wish(of: $0, in: shows?.first) } ?? nil
    guard let name, let kind, let count, let concurrency, let shows, let accounts, let start, let think,
      let abandons,
      let wants
    else {
      if let kind, let start { _ = section.details(of: kind, start, context) }
      return nil
    }
    var group = ActorGroup(
      name: name, kind: kind, count: count, concurrency: concurrency, shows: shows.map(\.id),
      accounts: accounts,
      wants: wants, startsAt: start, thinkTime: think, abandonsBasisPoints: abandons)
    guard let change = section.details(of: kind, start, context) else { return nil }
    change(&group)
    return group
  }

  private func groupName() -> String? {
    // Members are called `name-00001`; they become parts of buyer, hold and order ids.
    parsed("a name of 1 to 40 letters, digits and hyphens") { text in
      let fits = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
      return fits && (1...40).contains(text.count) ? text : nil
    }
  }

  private func concurrency(count: Int?) -> Int? {
    guard let concurrency = number(in: 1...10_000) else { return nil }
    guard let count, concurrency > count else { return concurrency }
    fail("is \(concurrency), but the group has only \(count) members; it must be at most \(count)")
    return nil
  }

  func wish(in show: ShowOnSale) -> SeatWish? {
    if node.sequence != nil { return seats(in: show).map { .named($0) } }
    guard
      let text = parsed(
        "a seat, a list of seats, or as in `best 2`, `best 1 to 4`, `best 2 in stalls`, `best 4 split`",
        { $0 })
    else { return nil }
    guard text == "best" || text.hasPrefix("best ") else { return seats(in: show).map { .named($0) } }
    guard let wish = ScenarioText.best(text),
      case .best(let range, let section, let together, let category, let accessible) = wish
    else {
      fail(
        "must be as in `best 2`, `best 1 to 4`, `best 2 in stalls`, `best 2 of premium`, `best 2 with 1 wheelchair` or "
          + "`best 4 split`, with 1 to 100 seats, not \(shown)")
      return nil
    }
    if let category, !show.categories.contains(where: { $0.id == category }) {
      let names = show.categories.map(\.id.rawValue)
      let hint = Suggestion.nearest(to: category.rawValue, among: names).map { "; did you mean \($0)?" } ?? ""
      fail(
        names.isEmpty
          ? "names the category \(category), but \(show.id) has no categories"
          : "names the category \(category), but \(show.id) has only \(names.joined(separator: ", "))\(hint)")
      return nil
    }
    if accessible > 0, !show.sections.contains(where: { $0.rows.contains { !$0.wheelchair.isEmpty } }) {
      fail("asks for wheelchair places, but \(show.id) has none; a row has them as in `wheelchair: [1, 2]`")
      return nil
    }
    let sections = show.sections.filter { section == nil || $0.id == section }
    guard !sections.isEmpty else {
      let names = show.sections.map(\.id.rawValue).joined(separator: ", ")
      fail("names the section \(section?.rawValue ?? ""), but \(show.id) has only \(names)")
      return nil
    }
    let longest = sections.flatMap(\.lines).map(\.seats).max() ?? 0
    guard range.upperBound <= longest || !together else {
      fail("asks for \(range.upperBound) seats side by side, but the longest row has \(longest)")
      return nil
    }
    return wish
  }

  func startInstant(_ clock: ScenarioClock) -> Timestamp? {
    guard let start = instant(countedFrom: clock.startsAt) else { return nil }
    guard start >= clock.startsAt else {
      fail("is before the scenario's start, \(clock.startsAt.rfc3339); the clock only goes forward")
      return nil
    }
    return start
  }

  func payment() -> ActorGroup.Payment? {
    parsed("`at once`, `never`, or as in `after 11m`") { text in
      switch text {
      case "at once": .atOnce
      case "never": .never
      default: text.after.map { .after($0) }
      }
    }
  }

  func cancellation(groupStart: Timestamp, pays: ActorGroup.Payment?) -> ActorGroup.Cancellation? {
    let cancels: ActorGroup.Cancellation? = parsed(
      "`never`, as in `after 2d`, or as in `at 2026-12-01T00:20:00+01:00`"
    ) { text in
      if text == "never" { return .never }
      if text.hasPrefix("at ") { return Timestamp(rfc3339: text.dropFirst(3).trimmed).map { .at($0) } }
      return text.after.map { .after($0) }
    }
    guard let cancels else { return nil }
    let cancelsAt: Timestamp
    switch cancels {
    case .never: return cancels
    case .at(let instant): cancelsAt = instant
    case .after(let delay): cancelsAt = groupStart + delay
    }
    switch pays {
    case .never?:
      fail("does not fit `pays: never`: who has not paid has nothing to cancel")
      return nil
    case .after(let delay)? where cancelsAt <= groupStart + delay:
      fail("is not after the payment, which comes at \((groupStart + delay).rfc3339)")
      return nil
    default:
      guard cancelsAt > groupStart else {
        fail("is not after the purchase, which comes at \(groupStart.rfc3339)")
        return nil
      }
      return cancels
    }
  }
}

extension SectionReader {
  /// The shows that a group goes to: the one named, or all.
  fileprivate func shows(_ context: ScenarioContext) -> [ShowOnSale]? {
    optional("show") == nil ? context.shows : show(context).map { [$0] }
  }

  /// Whether a group of that kind can go to those shows: past a waiting room nobody gets.
  fileprivate func fits(_ kind: ActorGroup.Kind, _ shows: [ShowOnSale]) -> Bool {
    switch kind {
    case .pollers: break
    case .shoppers:
      if let show = shows.first(where: { $0.waitingRoom == nil }) {
        value.fail(
          "comes by a waiting room, but \(show.id) has none; add `waiting_room: {shopping: 10}` to the show")
        return false
      }
    case .buyers, .waiters, .terminals, .interleavings:
      if let show = shows.first(where: { $0.waitingRoom != nil }) {
        value.fail("would get past the waiting room of \(show.id); make it a group of shoppers")
        return false
      }
    }
    return true
  }

  /// The show that a group goes to: the one named, or the only one.
  fileprivate func show(_ context: ScenarioContext) -> ShowOnSale? {
    let names = context.shows.map(\.id.rawValue).joined(separator: ", ")
    guard let entry = optional("show") else {
      if context.shows.count == 1 { return context.shows.first }
      value.fail("needs the key show, since there are several: \(names)")
      return nil
    }
    guard let id = entry.identifier(ShowID.self) else { return nil }
    if let show = context.shows.first(where: { $0.id == id }) { return show }
    entry.fail("there is no show \(id) in this scenario; there are: \(names)")
    return nil
  }

  /// The accounts that pay: the ones named, or the only one.
  fileprivate func accounts(_ context: ScenarioContext) -> [AccountID]? {
    let known = context.accounts.map(\.id)
    let names = known.prefix(10).map(\.rawValue).joined(separator: ", ")
    guard let entry = optional("account") else {
      if known.count == 1 { return known }
      value.fail("needs the key account, since there are several: \(names)")
      return nil
    }
    let entries = entry.list(of: "accounts", orSingle: true, limit: 10_000)
    let accounts = entries.compactMap { entry -> AccountID? in
      guard let id = entry.identifier(AccountID.self) else { return nil }
      if known.contains(id) { return id }
      entry.fail("there is no account \(id) in this scenario; there are: \(names)")
      return nil
    }
    return accounts.count == entries.count && !accounts.isEmpty ? accounts : nil
  }
}

extension String {
  /// The duration of `after 11m`.
  fileprivate var after: Duration? {
    hasPrefix("after ") ? ScenarioText.duration(dropFirst("after ".count).trimmed) : nil
  }
}
