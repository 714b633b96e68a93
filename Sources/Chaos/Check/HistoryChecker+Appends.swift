import Foundation

/// What each answer says of its append.
extension HistoryChecker {
  mutating func checkAppends() {
    for append in appends {
      switch append.answer {
      case .committed(let places): checkPlaces(append, places, .acknowledged)
      case .duplicate(let places):
        checkPlaces(append, places, .duplicate)
        checkOriginal(append)
      case nil, .unknown: checkAtomic(append)
      case .conflict(let actual):
        checkAbsent(append)
        checkConflict(append, actual)
      case .failed(let failure, _):
        checkAbsent(append)
        checkRefusal(append, failure)
      }
      if append.mayBeStored { checkExpectations(append) }
    }
  }

  /// Acknowledged: present in its place. That it is there once is a rule of the log.
  private mutating func checkPlaces(
    _ append: RecordedAppend, _ places: [AppendAnswer.Place], _ rule: Violation.Rule
  ) {
    guard places.count == append.parts.count else {
      report(rule, "the answer names \(places.count) of \(append.parts.count) streams", ["\(append)"])
      return
    }
    for (part, place) in zip(append.parts, places) {
      guard place.stream == part.stream else {
        report(rule, "the answer names \(place.stream) in place of \(part.stream)", ["\(append)"])
        continue
      }
      if part.events.isEmpty {
        checkCondition(append, place, rule)
        continue
      }
      for (index, event) in part.events.enumerated() {
        let behind = Int64(part.events.count - 1 - index)
        guard let found = log.byID[event.id] else {
          report(rule, "event \(event.id) was acknowledged and is not in the log", ["\(append)"])
          continue
        }
        let (version, position) = (place.version - behind, (place.position ?? 0) - behind)
        if found.stream != part.stream || found.version != version || found.position != position {
          report(
            rule, "event \(event.id) was acknowledged as \(part.stream) \(version)@\(position)",
            ["\(append)", "the log has \(found.brief)"])
        }
      }
    }
  }

  /// The version of a stream that is only read: as it was before the append, or (of a retry) during it.
  private mutating func checkCondition(
    _ append: RecordedAppend, _ place: AppendAnswer.Place, _ rule: Violation.Rule
  ) {
    let found = append.events.compactMap { log.byID[$0.id]?.position }.min()
    let before = found.map { log.version(of: place.stream, at: $0 - 1) }
    let seen = times.ends(between: append.beganAt, and: append.endedAt ?? .max)
      .intersection(log.ends(while: place.stream, has: place.version))
    if before != place.version && seen == nil {
      report(
        rule, "\(place.stream) was not at version \(place.version) at any moment of the append", ["\(append)"]
      )
    }
  }

  private mutating func checkOriginal(_ append: RecordedAppend) {
    guard let first = append.events.first else { return }
    let earlier = (holders[first.id] ?? []).map { appends[$0] }.contains { other in
      (other.process != append.process || other.number != append.number)
        && other.beganAt < append.endedAt ?? .max && other.mayBeStored
    }
    if !earlier { report(.duplicate, "nobody had appended these events before", ["\(append)"]) }
  }

  private mutating func checkAbsent(_ append: RecordedAppend) {
    for event in append.events {
      guard let found = log.byID[event.id] else { continue }
      let others = (holders[event.id] ?? []).map { appends[$0] }
      // The same event may have come into the log by another append of it.
      if others.contains(where: \.mayBeStored) { continue }
      report(
        .failed, "event \(event.id) is in the log although its append wrote nothing",
        others.map(\.description) + ["the log has \(found.brief)"])
    }
  }

  private mutating func checkAtomic(_ append: RecordedAppend) {
    let own = append.events.filter { event in
      // An event of another append that was stored does not make this one half done.
      (holders[event.id] ?? []).allSatisfy {
        Set(appends[$0].events.map(\.id)) == Set(append.events.map(\.id))
      }
    }
    let found = own.compactMap { log.byID[$0.id] }
    guard !found.isEmpty else { return }
    if found.count < own.count {
      report(
        .atomic, "of \(own.count) events of one append \(found.count) are in the log",
        ["\(append)"] + found.map(\.brief))
      return
    }
    let positions = found.map(\.position)
    guard let first = positions.min(), let last = positions.max() else { return }
    if last - first + 1 != positions.count {
      report(
        .atomic, "the events of one append do not stand side by side", ["\(append)"] + found.map(\.brief))
    }
  }

  /// Of an append that is in the log: its streams were as it expected just before its first event.
  private mutating func checkExpectations(_ append: RecordedAppend) {
    let found = append.events.compactMap { log.byID[$0.id] }
    guard found.count == append.events.count, let first = found.map(\.position).min() else { return }
    // Decided by the append that stored it; a retry of it may have expected something else.
    let ids = append.events.map(\.id)
    let rivals = ids.first.flatMap { holders[$0] } ?? []
    let alternatives = rivals.map { appends[$0] }.filter { $0.mayBeStored && $0.events.map(\.id) == ids }
    let isRight = alternatives.contains { other in
      other.parts.allSatisfy { $0.expected.isMet(by: log.version(of: $0.stream, at: first - 1)) }
    }
    if !isRight {
      let actual = append.parts.map { "\($0.stream) was at \(log.version(of: $0.stream, at: first - 1))" }
      report(
        .expectedVersion, "an append is stored although " + actual.joined(separator: ", "), ["\(append)"])
    }
  }

  private mutating func checkConflict(_ append: RecordedAppend, _ actual: [AppendAnswer.ActualVersion]) {
    let expected = Dictionary(append.parts.map { ($0.stream, $0.expected) }) { first, _ in first }
    if actual.isEmpty { report(.conflict, "a conflict names no stream", ["\(append)"]) }
    var ends: ClosedRange<Int64>? = times.ends(between: append.beganAt, and: append.endedAt ?? .max)
    for claim in actual {
      guard let expectation = expected[claim.stream] else {
        report(.conflict, "\(claim.stream) is not part of the append", ["\(append)"])
        continue
      }
      if expectation.isMet(by: claim.version) {
        report(.conflict, "\(claim.stream) was at \(claim.version), as expected", ["\(append)"])
      }
      ends = ends?.intersection(log.ends(while: claim.stream, has: claim.version))
    }
    if ends == nil {
      let window = times.ends(between: append.beganAt, and: append.endedAt ?? .max)
      report(
        .conflict, "the streams did not have these versions at any moment of the append",
        ["\(append)", "meanwhile the log ended between \(window.lowerBound) and \(window.upperBound)"])
    }
  }

  private mutating func checkRefusal(_ append: RecordedAppend, _ failure: AppendAnswer.Failure) {
    switch failure {
    case .rejected where !append.events.contains(where: \.isPoison):
      report(.refusal, "events were refused that nothing is wrong with", ["\(append)"])
    case .eventIDReused:
      let isUsed = append.events.contains { event in
        (holders[event.id] ?? []).contains { index in
          let other = appends[index]
          return (other.process != append.process || other.number != append.number) && other.mayBeStored
        }
      }
      if !isUsed { report(.refusal, "an event id was refused as used that nobody else used", ["\(append)"]) }
    default: break
    }
  }
}
