import Vocabulary

extension ValueReader {
  /// The `faults` section: what goes wrong.
  func faults(_ context: ScenarioContext) -> [Fault] {
    list(of: "faults").compactMap { entry in
      guard let fault = entry.section("a fault", keys: ["kill"]),
        let kill = fault.required("kill", example: "{process: worker-1, after_acknowledged: 100}")
      else { return nil }
      return kill.kill(context)
    }
  }

  private func kill(_ context: ScenarioContext) -> Fault? {
    let keys = ["process", "after_acknowledged", "restart_after"]
    guard let section = section("a kill", keys: keys) else { return nil }
    let acknowledged = section.required("after_acknowledged", example: "100")?.number(in: 1...10_000_000)
    let restart = section.optional("restart_after").map { $0.duration() } ?? .zero
    guard let process = section.required("process", example: "worker-1") else { return nil }
    guard let processes = context.processes else {
      process.fail("cannot be killed: the scenario runs in one process with its runner; add `processes: 1`")
      return nil
    }
    let names = (1...processes).map { "worker-\($0)" }
    guard
      let worker = process.parsed(
        "one of the scenario's processes, \(names.joined(separator: ", "))",
        { name in names.firstIndex(of: name == "worker" ? "worker-1" : name) })
    else { return nil }
    guard let acknowledged, let restart else { return nil }
    return .kill(Fault.Kill(worker: worker + 1, afterAcknowledged: acknowledged, restartAfter: restart))
  }

  /// The `invariants` section: what must hold at the end; nil if it has problems.
  func invariants(_ context: ScenarioContext) -> [Invariant]? {
    var seen: Set<Invariant> = []
    let entries = list(of: "invariants")
    let invariants = entries.compactMap { entry -> Invariant? in
      guard let invariant = entry.invariant(context) else { return nil }
      if !seen.insert(invariant).inserted { entry.fail("\(invariant.title) is there twice") }
      return invariant
    }
    return invariants.count == entries.count && !invariants.isEmpty ? invariants : nil
  }

  private func invariant(_ context: ScenarioContext) -> Invariant? {
    guard let mapping = node.mapping else {
      guard let name = choice(InvariantName.self) else { return nil }
      if let format = name.parameterFormat {
        fail("\(name.rawValue) needs to be told what to expect: \(format)")
        return nil
      }
      return Invariant(name)
    }
    guard mapping.count == 1, let (key, value) = mapping.first else {
      fail("must be one name, or one name with what it expects, as in `- winners: 12`")
      return nil
    }
    let keyReader = ValueReader(node: key, path: path, problems: problems)
    guard let name = keyReader.choice(InvariantName.self) else { return nil }
    let parameter = ValueReader(node: value, path: "\(path).\(name.rawValue)", problems: problems)
    switch name {
    case .winners, .seatsSold:
      return parameter.number(in: 0...1_000_000).map { Invariant(name, .count($0)) }
    case .chargeInMonth, .refundInMonth:
      return parameter.billed(context).map { Invariant(name, .money($0)) }
    default:
      parameter.fail("\(name.rawValue) takes nothing; write `- \(name.rawValue)`")
      return nil
    }
  }

  /// The `controls` section: strategies with a guard taken out, and what each must break.
  func controls(of invariants: [Invariant]?) -> [ScenarioFile.Control] {
    var seen: Set<ScenarioFile.Control> = []
    return list(of: "controls").compactMap { entry in
      guard let mapping = entry.node.mapping, mapping.count == 1, let (key, value) = mapping.first else {
        entry.fail(
          "must be a strategy and what it must break, as in `- read-model-check: no-seat-booked-twice`, not "
            + entry.shown)
        return nil
      }
      let reader = ValueReader(node: key, path: entry.path, problems: problems)
      guard let strategy = reader.choice(Strategy.self) else { return nil }
      guard strategy.isControl else {
        let names = Strategy.allCases.filter(\.isControl).map(\.rawValue).joined(separator: ", ")
        reader.fail("\(strategy.rawValue) has every guard and breaks nothing; controls are \(names)")
        return nil
      }
      let broken = ValueReader(node: value, path: "\(entry.path).\(strategy.rawValue)", problems: problems)
      guard let name = broken.choice(InvariantName.self) else { return nil }
      if let invariants, !invariants.contains(where: { $0.name == name }) {
        broken.fail("is \(name.rawValue), which this scenario does not demand; list it under invariants too")
        return nil
      }
      let control = ScenarioFile.Control(strategy: strategy, breaks: name)
      if !seen.insert(control).inserted {
        entry.fail("\(strategy.rawValue): \(name.rawValue) is there twice")
      }
      return control
    }
  }

  private func billed(_ context: ScenarioContext) -> Invariant.Billed? {
    guard let section = section("a billed amount", keys: ["account", "month", "amount"]) else { return nil }
    let account = section.required("account", example: "walk-ins")?.identifier(AccountID.self)
    let month = section.required("month", example: "2026-11")?.parsed("a month as in 2026-11") { Month($0) }
    let amount = section.required("amount", example: "90.00 EUR")?
      .parsed("an amount and its currency as in 90.00 EUR", ScenarioText.money)
    guard let account, let month, let amount else { return nil }
    if context.isComplete, !context.accounts.contains(where: { $0.id == account }) {
      section.optional("account")?.fail("there is no account \(account) in this scenario")
      return nil
    }
    return Invariant.Billed(account: account, month: month, amount: amount)
  }
}
