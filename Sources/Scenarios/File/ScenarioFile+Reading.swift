import Foundation
import Ordering
import Vocabulary
import Yams

extension ScenarioFile {
  /// Reads a scenario from disk. Throws ``ScenarioFileError`` with every problem in the file.
  public static func load(path: String) throws(ScenarioFileError) -> ScenarioFile {
    func problem(_ message: String) -> ScenarioFileError {
      ScenarioFileError(problems: [ScenarioProblem(file: path, message: message)])
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw problem("cannot be read; is the path right and is it a file?")
    }
    guard data.count <= sizeLimit else { throw problem("has \(data.count) bytes; the limit is \(sizeLimit)") }
    guard let text = String(data: data, encoding: .utf8) else { throw problem("is not UTF-8 text") }
    return try parse(text, file: path)
  }

  /// Larger than any scenario that a person writes.
  static let sizeLimit = 1_000_000

  /// Reads a scenario from a text. `file` is only used in messages, except that a scenario's name must be the
  /// file's name if that ends in `.yaml`.
  public static func parse(_ yaml: String, file: String) throws(ScenarioFileError) -> ScenarioFile {
    let problems = ValueReader.Problems(file: file)
    let scenario = compose(yaml, problems).flatMap { read($0) }
    guard let scenario, problems.all.isEmpty else {
      throw ScenarioFileError(problems: problems.all.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
    }
    return scenario
  }

  private static func compose(_ yaml: String, _ problems: ValueReader.Problems) -> ValueReader? {
    func fail(_ message: String, _ mark: Mark? = nil) {
      problems.all.append(
        ScenarioProblem(file: problems.file, line: mark?.line, column: mark?.column, message: message))
    }
    do {
      if let node = try Yams.compose(yaml: yaml) {
        return ValueReader(node: node, path: "", problems: problems)
      }
      fail("is empty; it must be a scenario with the keys \(keys.joined(separator: ", "))")
    } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _)
    {
      fail("is not valid YAML: \(problem)", mark)
    } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
      fail("has the key \(duplicates.sorted().joined(separator: ", ")) twice in one section", context.mark)
    } catch {
      fail("is not valid YAML: \(error)")
    }
    return nil
  }

  static let keys = [
    "name", "title", "story", "seed", "strategy", "processes", "clock", "accounts", "shows", "actors",
    "faults",
    "invariants", "controls", "cancellation_fees", "notifications",
  ]

  private static func read(_ document: ValueReader) -> ScenarioFile? {
    guard let section = document.section("a scenario", keys: keys) else { return nil }

    let name = section.required("name", example: "last-seat")?.scenarioName()
    let title = section.required("title", example: "Two hundred buyers, one seat left")?.text("a title")
    let story = section.required("story", example: "|")?.text("a story of a few sentences")
    let seed = section.required("seed", example: "2026")?.number(in: 0...Int.max)
    let strategy = section.optional("strategy").map { $0.choice(Strategy.self) } ?? .occ
    let processes = section.optional("processes").map { $0.number("a number of processes", in: 1...16) }
    let clock = section.required("clock", example: "{starts_at: 2026-11-20T21:10:00+01:00}")?.clock()
    let accounts = section.required("accounts", example: "[{id: walk-ins, time_zone: Europe/Berlin}]")?
      .accounts()
    let shows = section.required("shows", example: "[{id: the-tempest, …}]")?.shows(clock)

    // The rest refers to shows, accounts and the clock; without them it would only repeat their problems.
    let context = ScenarioContext(
      clock: clock ?? ScenarioClock(startsAt: Timestamp(microseconds: 0), runsUntil: nil),
      accounts: accounts ?? [], shows: shows ?? [], processes: processes ?? nil,
      isComplete: clock != nil && accounts != nil && shows != nil)
    let actors = section.required("actors", example: "[{name: buyers, kind: buyers, count: 200, …}]")?
      .actors(context)
    let faults = section.optional("faults").map { $0.faults(context) } ?? []
    let invariants = section.required("invariants", example: "[no-seat-booked-twice]")?.invariants(context)
    let fees = section.optional("cancellation_fees").map { $0.cancellationFees() } ?? .free
    let notifications = section.optional("notifications").map { $0.notifications() }
    if let notifications, notifications == nil { return nil }
    let controls = section.optional("controls").map { $0.controls(of: invariants) } ?? []

    guard let name, let title, let story, let seed, let strategy, let clock, let accounts, let shows,
      let actors, let fees,
      let invariants
    else { return nil }
    return ScenarioFile(
      name: name, title: title, story: story, seed: UInt64(seed), strategy: strategy,
      processes: processes ?? nil,
      clock: clock, accounts: accounts, shows: shows, actors: actors, faults: faults, invariants: invariants,
      cancellations: fees, notificationsFailEvery: notifications ?? nil, controls: controls)
  }
}

/// What the later sections of a scenario refer to.
struct ScenarioContext {
  let clock: ScenarioClock
  let accounts: [ScenarioAccount]
  let shows: [ShowOnSale]
  let processes: Int?
  /// False when one of the sections above has problems of its own: then references are not judged.
  let isComplete: Bool
}

extension ValueReader {
  fileprivate func scenarioName() -> String? {
    let name = parsed("a name of 1 to 64 small letters, digits and hyphens") { text -> String? in
      let fits = text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
      return fits && (1...64).contains(text.count) ? text : nil
    }
    let file = problems.file.split(separator: "/").last.map(String.init) ?? ""
    if let name, file.hasSuffix(".yaml"), file != name + ".yaml" {
      fail("must be the file's name, \(file.dropLast(5)), so that it can be found; it is \(name)")
    }
    return name
  }

  fileprivate func clock() -> ScenarioClock? {
    guard let section = section("the clock", keys: ["starts_at", "runs_until"]) else { return nil }
    guard let start = section.required("starts_at", example: "2026-11-20T21:10:00+01:00")?.instant() else {
      return nil
    }
    guard let until = section.optional("runs_until") else {
      return ScenarioClock(startsAt: start, runsUntil: nil)
    }
    guard let end = until.instant(countedFrom: start) else { return nil }
    if end <= start { until.fail("must be later than starts_at, \(start.rfc3339)") }
    return ScenarioClock(startsAt: start, runsUntil: end)
  }

  /// `{7d: 0%, 24h: 10%, 0h: 50%}`: from that long before the show on, that share is kept.
  fileprivate func cancellationFees() -> CancellationPolicy? {
    let example = "{168h: 0%, 24h: 10%, 0h: 50%}"
    guard let mapping = node.mapping, !mapping.isEmpty else {
      fail("must be fees by the time that is left before the show, as in \(example), not \(shown)")
      return nil
    }
    let tiers = mapping.compactMap { key, value -> CancellationPolicy.Tier? in
      let notice = ValueReader(node: key, path: path, problems: problems)
        .parsed("whole hours before the show, as in 24h or 7d") { text in
          ScenarioText.duration(text).flatMap { $0.components.seconds % 3_600 == 0 ? $0 : nil }
        }
      let fee = ValueReader(node: value, path: "\(path).\(key.scalar?.string ?? "")", problems: problems)
        .parsed("a share from 0% to 100%", ScenarioText.percent)
      guard let notice, let fee else { return nil }
      return CancellationPolicy.Tier(hours: Int(notice.components.seconds / 3_600), feeBasisPoints: fee)
    }
    guard tiers.count == mapping.count else { return nil }
    guard let policy = CancellationPolicy(tiers) else {
      fail("must have each notice once, at most 100000 hours, as in \(example)")
      return nil
    }
    return policy
  }

  /// `{fails_every: 3}`
  fileprivate func notifications() -> Int? {
    guard let section = section("notifications", keys: ["fails_every"]) else { return nil }
    return section.required("fails_every", example: "3")?.number(in: 2...1_000)
  }

  fileprivate func accounts() -> [ScenarioAccount]? {
    var seen: Set<AccountID> = []
    let accounts = list(of: "accounts", limit: 10_000).compactMap { entry -> ScenarioAccount? in
      guard let section = entry.section("an account", keys: ["id", "name", "time_zone"]) else { return nil }
      let id = section.required("id", example: "walk-ins")?.identifier(AccountID.self)
      let name = section.optional("name").map { $0.text("a name") }
      let zone = section.required("time_zone", example: "Europe/Berlin")?
        .parsed("an IANA time zone as in Europe/Berlin") { TimeZone(identifier: $0) == nil ? nil : $0 }
      guard let id, let zone else { return nil }
      if !seen.insert(id).inserted { entry.fail("the account \(id) is there twice") }
      return ScenarioAccount(id: id, name: (name ?? nil) ?? id.rawValue, timeZone: zone)
    }
    return accounts.isEmpty ? nil : accounts
  }
}
