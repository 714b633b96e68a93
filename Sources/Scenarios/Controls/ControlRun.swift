import Vocabulary

/// What became of a scenario's controls: runs with a guard taken out, which have to break what the file says.
public struct ControlRun: Hashable, Sendable, Codable {
  public let scenario: String
  public let strategy: Strategy
  /// The guard that was missing.
  public let missingGuard: String
  /// What had to break.
  public let invariant: InvariantName
  /// Whether it did.
  public let isBroken: Bool
  public let evidence: String

  enum CodingKeys: String, CodingKey {
    case scenario, strategy, invariant, evidence
    case missingGuard = "missing_guard"
    case isBroken = "is_broken"
  }

  /// What a report of a run with the control's strategy says about it.
  public init(_ control: ScenarioFile.Control, in report: RunReport) {
    scenario = report.scenario.name
    strategy = control.strategy
    missingGuard = control.strategy.missingGuard
    invariant = control.breaks
    let results = report.invariants.filter { $0.name == control.breaks }
    let broken = results.first { !$0.holds }
    isBroken = broken != nil
    let shown = broken ?? results.first
    let findings = [shown?.fromLog, shown?.fromReadModel].compactMap(\.self).filter { !$0.holds }.map(
      \.evidence)
    evidence = ([shown?.evidence ?? "It was not judged."] + findings.filter { $0 != shown?.evidence })
      .joined(separator: " ")
  }
}

extension ScenarioEngine {
  /// Runs a scenario once for each strategy among its controls.
  public func controls(
    of scenario: ScenarioFile, seed: UInt64? = nil,
    observer: @escaping @Sendable (Strategy, RunRecorder) async -> Void = { _, _ in }
  ) async throws -> [ControlRun] {
    var runs: [ControlRun] = []
    var seen: Set<Strategy> = []
    for strategy in scenario.controls.map(\.strategy) where seen.insert(strategy).inserted {
      let outcome = try await run(ScenarioPlan(scenario, strategy: strategy, seed: seed)) { recorder in
        await observer(strategy, recorder)
      }
      runs += scenario.controls.filter { $0.strategy == strategy }.map { ControlRun($0, in: outcome.report) }
    }
    return runs
  }
}
