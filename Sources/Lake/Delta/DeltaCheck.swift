import Crypto
import Parquet

/// The check of a lake of Delta tables.
actor DeltaCheck: LakeChecking {
  nonisolated let executor = ThreadExecutor(name: "lake-check")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let layout: LakeLayout
  private let identity: LakeIdentity?
  private let head: Int64?
  private let clock = ContinuousClock()
  private let started: ContinuousClock.Instant

  private var report = LakeReport()
  private var table: DeltaRowCheck
  private var facts: [(table: FactTable, check: DeltaRowCheck)] = []
  private var events = EventCheck()
  private let rows = FactRows()

  init(layout: LakeLayout, identity: LakeIdentity?, head: Int64?) {
    self.layout = layout
    self.identity = identity
    self.head = head
    started = clock.now
    report.format = .delta
    table = DeltaRowCheck(EventTable.schema, layout: layout, versions: [])
  }

  func begin() throws(LakeError) -> [Int64] {
    let versions = try DeltaLog.versions(layout, EventTable.schema.name)
    table = DeltaRowCheck(EventTable.schema, layout: layout, versions: versions)
    // After the events: they are committed last.
    for fact in FactTable.allCases {
      let versions = try DeltaLog.versions(layout, fact.schema.name)
      facts.append((fact, DeltaRowCheck(fact.schema, layout: layout, versions: versions)))
    }
    return versions
  }

  func checkEntry(_ version: Int64) throws(LakeError) -> Int64 {
    let range = try table.open(version)
    takeProblems()
    if let range {
      if report.firstPosition == nil { report.firstPosition = range.firstPosition }
      if range.firstPosition != events.nextPosition { skip(to: range.firstPosition) }
      while let (row, file) = table.nextOfCommit() { try check(row, file) }
      takeProblems()
      if let last = events.lastID, last != range.lastEventID, events.nextPosition == range.lastPosition + 1 {
        add(
          .manifest, file: "\(EventTable.schema.name)/_delta_log/\(LakeLayout.padded(version)).json",
          "its last event is \(range.lastEventID ?? "none"), the files end with \(last)")
      }
      if events.nextPosition != range.lastPosition + 1 {
        add(
          .position, position: events.nextPosition,
          "the commit should reach position \(range.lastPosition), its files end at \(events.nextPosition - 1)"
        )
        skip(to: range.lastPosition &+ 1)
      }
    }
    return events.count
  }

  private func skip(to position: Int64) {
    events.skip(to: position)
    // Their rows depend on the events that are not there.
    for index in facts.indices { facts[index].check.stopComparing() }
  }

  private func check(_ row: [ParquetValue], _ file: DeltaLog.File) throws(LakeError) {
    let category = file.partition["category"] ?? ""
    guard let record = EventTable.record(row, category: category) else {
      add(
        .lineInvalid, file: file.path, position: row.first?.number, "expected an event as an export writes it"
      )
      return skip(to: events.nextPosition + 1)
    }
    let payload: PayloadFields
    do {
      payload = try PayloadFields(record)
    } catch {
      add(.lineInvalid, file: file.path, position: record.position, "\(error)")
      return skip(to: events.nextPosition + 1)
    }
    let next = events.nextPosition
    for problem in events.check(record, in: file.path, eventDate: file.partition["event_date"] ?? "") {
      report.add(problem)
    }
    if record.position != next {
      for index in facts.indices { facts[index].check.stopComparing() }
      return
    }
    for index in facts.indices where !facts[index].check.isBroken {
      var expected: [[ParquetValue]] = []
      // The closure throws nothing.
      try? rows.make(facts[index].table, of: record, payload) { expected.append($0) }
      try facts[index].check.compare(expected, at: record.position)
    }
  }

  func finish() throws(LakeError) -> LakeReport {
    for index in facts.indices { try facts[index].check.finish(through: table.chain.lastPosition) }
    takeProblems()
    let chains = facts.map(\.check.chain) + [table.chain]
    report.tenant = table.chain.tenant
    report.logID = table.chain.logID
    for chain in chains where chain.tenant != report.tenant || chain.logID != report.logID {
      add(.identity, file: chain.schema.name, "it is of another log than the events")
    }
    if let identity, identity.tenant.rawValue != report.tenant || identity.logText != report.logID {
      let found =
        "the lake is of tenant \(report.tenant.map { "\($0)" } ?? "?") of log \(report.logID ?? "?")"
      add(.identity, "expected \(identity), \(found)")
    }
    try checkOrphans()
    for chain in chains {
      report.entries += chain.commits
      report.files += chain.files
      report.bytes += chain.bytes
      report.uncompressedBytes += chain.uncompressedBytes
    }
    let digests = chains.map { "\($0.schema.name) \($0.digest ?? "none")\n" }.joined()
    report.digest = SHA256.hexadecimal(of: Array(digests.utf8))
    let end = table.chain.lastPosition
    report.lastPosition = end > 0 ? end : nil
    report.end(events, expecting: head, after: clock.now - started)
    return report
  }

  private func checkOrphans() throws(LakeError) {
    try report.findOrphans(in: layout, unnamedFiles)
    if report.isBeingExported { return }
    let schemas = FactTable.allCases.map(\.schema) + [EventTable.schema]
    for path in report.orphans {
      let isOurs = schemas.contains { LakeLayout.isDeltaPart(path, of: report.tenant, in: $0) }
      let advice =
        isOurs
        ? "an export was interrupted or the commit is gone; run aisle lake export to complete or remove it"
        : "it is not the work of an export of this lake; move it away"
      add(.orphan, file: path, "no commit names it: \(advice)")
    }
  }

  private func unnamedFiles() throws(LakeError) -> [String] {
    var unnamed: [String] = []
    for index in facts.indices { unnamed += try Self.unnamedFiles(&facts[index].check, layout) }
    return unnamed + (try Self.unnamedFiles(&table, layout))
  }

  private static func unnamedFiles(
    _ check: inout DeltaRowCheck, _ layout: LakeLayout
  ) throws(LakeError) -> [String] {
    let name = check.chain.schema.name
    let files = try Directory.files(name, in: layout.root).filter { !$0.hasPrefix("\(name)/_delta_log/") }
    // After the files: a commit comes after what it names.
    try check.nameNewer()
    let named = check.chain.named
    return files.filter { !named.contains($0) }
  }

  private func takeProblems() {
    for problem in table.takeProblems() { report.add(problem) }
    for index in facts.indices { for problem in facts[index].check.takeProblems() { report.add(problem) } }
  }

  private func add(
    _ kind: LakeProblem.Kind, file: String? = nil, position: Int64? = nil, _ message: String
  ) {
    report.add(LakeProblem(kind: kind, file: file, line: nil, position: position, message: message))
  }
}
