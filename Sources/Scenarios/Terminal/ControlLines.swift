/// A scenario's controls as text for a terminal or a log.
public struct ControlLines: Sendable {
  private let scenario: ScenarioFile
  private let runs: [ControlRun]
  private let style: TerminalStyle

  public init(_ scenario: ScenarioFile, _ runs: [ControlRun], style: TerminalStyle) {
    self.scenario = scenario
    self.runs = runs
    self.style = style
  }

  public func render() -> String {
    let heading = style.paint(scenario.name, .bold)
    guard !runs.isEmpty else { return heading + "\n  has no controls" }
    return ([heading] + runs.map(line)).joined(separator: "\n")
  }

  private func line(_ run: ControlRun) -> String {
    let mark = run.isBroken ? style.paint("✓", .green) : style.paint("✗", .red)
    let what = "without \(run.missingGuard) (\(run.strategy.rawValue))"
    let then = run.isBroken ? "\(run.invariant.rawValue) breaks" : "\(run.invariant.rawValue) still holds"
    return "  \(mark) \(what): \(then)\n      " + style.paint(TerminalStyle.safe(run.evidence), .dim)
  }
}
