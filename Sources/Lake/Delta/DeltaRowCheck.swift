import Parquet

/// Reads the rows of a table's commits in order, and says what is wrong with their files.
struct DeltaRowCheck {
  private(set) var chain: DeltaChain
  private var versions: ArraySlice<Int64>
  private var rows: DeltaRows?
  private var counts: [String: Count] = [:]
  private var held: [ParquetValue]?
  private(set) var problems: [LakeProblem] = []
  /// Something could not be read: what follows cannot be compared any more.
  private(set) var isBroken = false

  /// What a file has, beside what its commit says that it has.
  private struct Count {
    let expected: DeltaStatistics
    var found: Int64 = 0
    var first = Int64.max
    var last: Int64 = 0

    mutating func add(_ position: Int64) {
      found += 1
      first = min(first, position)
      last = max(last, position)
    }
  }

  init(_ schema: DeltaSchema, layout: LakeLayout, versions: [Int64]) {
    chain = DeltaChain(schema, layout: layout)
    self.versions = versions[...]
  }

  mutating func takeProblems() -> [LakeProblem] {
    defer { problems = [] }
    return problems
  }

  /// Goes on with the next commit; returns its range and whether it has rows to be read, nil when it adds none.
  mutating func open(_ version: Int64) throws(LakeError) -> DeltaAction.Range? {
    versions = versions.drop { $0 <= version }
    let step = try chain.check(version)
    problems += chain.takeProblems()
    guard let step else { return nil }
    do {
      rows = try DeltaRows(step.files.map(\.file), layout: chain.layout, schema: chain.schema)
      for (file, statistics) in step.files { counts[file.path] = Count(expected: statistics) }
    } catch {
      noteDamage(step.files.first?.file.path, error)
    }
    return step.range
  }

  /// The next row of the commit that is open.
  mutating func nextOfCommit() -> (row: [ParquetValue], file: DeltaLog.File)? {
    do {
      guard let (row, file) = try rows?.next() else {
        endCommit()
        return nil
      }
      counts[file.path]?.add(row.first?.number ?? 0)
      return (row, file)
    } catch {
      noteDamage(counts.keys.sorted().first, error)
      return nil
    }
  }

  private mutating func endCommit() {
    rows = nil
    for (path, count) in counts.sorted(by: { $0.key < $1.key }) {
      let expected = count.expected
      if count.found != expected.numRecords {
        add(.lineCount, path, nil, "expected \(expected.numRecords) rows, found \(count.found)")
      }
      // By these readers skip files: wrong ones hide events.
      if expected.minValues["position"] != .number(count.first)
        || expected.maxValues["position"] != .number(count.last)
      {
        add(
          .manifest, path, nil,
          "its commit says that its positions are others than \(count.first)–\(count.last)")
      }
    }
    counts = [:]
  }

  private mutating func noteDamage(_ path: String?, _ error: any Error) {
    add(.fileDamaged, path, nil, "cannot be read from here: \(error)")
    (rows, counts, isBroken) = (nil, [:], true)
  }

  /// Whether the rows of an event are those that are due next. Says so only once if they are not.
  mutating func compare(_ expected: [[ParquetValue]], at position: Int64) throws(LakeError) {
    if isBroken { return }
    var found: [[ParquetValue]] = []
    while let row = try peek(through: position), (row.first?.number ?? 0) <= position {
      found.append(row)
      held = nil
    }
    if isBroken || found == expected { return }
    add(
      .row, chain.schema.name, position,
      "the event makes \(expected.count) rows, the table has \(found.count) here and they are not the same")
    isBroken = true
  }

  /// The next row of any commit; those that begin after the position stay closed.
  private mutating func peek(through position: Int64) throws(LakeError) -> [ParquetValue]? {
    while held == nil, !isBroken {
      if rows != nil, let (row, _) = nextOfCommit() {
        held = row
      } else if chain.lastPosition < position, let version = versions.first {
        _ = try open(version)
      } else {
        break
      }
    }
    return held
  }

  /// Checks what is left, after an event that was the last one.
  mutating func finish(through position: Int64) throws(LakeError) {
    while rows != nil || !versions.isEmpty {
      if rows == nil, let version = versions.first { _ = try open(version) }
      while nextOfCommit() != nil {}
    }
    if chain.lastPosition < position {
      add(
        .incomplete, chain.schema.name, nil,
        "expected it to reach position \(position), it ends at \(chain.lastPosition)")
    }
  }

  private mutating func add(
    _ kind: LakeProblem.Kind, _ file: String?, _ position: Int64?, _ message: String
  ) {
    problems.append(LakeProblem(kind: kind, file: file, line: nil, position: position, message: message))
  }

  mutating func stopComparing() { isBroken = true }

  mutating func nameNewer() throws(LakeError) { try chain.nameNewer() }
}
