extension HistoryChecker {
  mutating func checkReads() {
    for read in reads {
      let window = times.ends(between: read.beganAt, and: read.endedAt)
      switch (read.request, read.answer) {
      case (_, .failed): continue
      case (.head, .number(let position)):
        check(read, window, endsAt: position...position)
      case (.version(let stream), .number(let version)):
        check(read, window, endsAt: log.ends(while: stream, has: version))
      case (.stream(let stream, let from, let limit), .events(let events)):
        guard checkEvents(read, events), checkVersions(read, events, of: stream, from: from, step: 1) else {
          continue
        }
        let last = from + Int64(events.count) - 1
        check(
          read, window,
          endsAt: ends(
            of: stream, through: events.isEmpty ? 0 : last, isComplete: events.count < limit, next: last + 1))
      case (.streamBackward(let stream, let limit), .events(let events)):
        let last = events.first?.version ?? 0
        guard checkEvents(read, events), checkVersions(read, events, of: stream, from: last, step: -1) else {
          continue
        }
        if events.count != min(limit, Int(last)) {
          report(.read, "a read of \(limit) from version \(last) on back is not whole", ["\(read)"])
        }
        check(read, window, endsAt: log.ends(while: stream, has: last))
      case (.log(let after, let limit), .events(let events)):
        guard checkEvents(read, events), checkPositions(read, events, after: after) else { continue }
        let last = after + Int64(events.count)
        let upper = events.count < limit ? last : .max
        check(read, window, endsAt: (events.isEmpty ? 0 : last)...max(last, upper))
      default: report(.read, "the answer does not fit the question", ["\(read)"])
      }
    }
  }

  /// Where the log may have ended when the stream reached a version, and (if the read got everything) no further one.
  private func ends(
    of stream: String, through version: Int64, isComplete: Bool, next: Int64
  ) -> ClosedRange<Int64>? {
    guard let first = log.position(of: stream, version: version) else { return nil }
    let end = isComplete ? (log.position(of: stream, version: next) ?? .max) : .max
    return end > first ? first...(end == .max ? .max : end - 1) : nil
  }

  private mutating func check(
    _ read: RecordedRead, _ window: ClosedRange<Int64>, endsAt ends: ClosedRange<Int64>?
  ) {
    if window.intersection(ends) == nil {
      report(
        .read, "the log was never so during the read",
        ["\(read)", "meanwhile the log ended between \(window.lowerBound) and \(window.upperBound)"])
    }
  }

  private mutating func checkEvents(_ read: RecordedRead, _ events: [LoggedEvent]) -> Bool {
    for event in events where log.byPosition[event.position] != event {
      report(
        .read, "\(event.brief) was read, which is not in the log",
        ["\(read)", "the log has \(log.byPosition[event.position]?.brief ?? "nothing at \(event.position)")"])
      return false
    }
    return true
  }

  private mutating func checkVersions(
    _ read: RecordedRead, _ events: [LoggedEvent], of stream: String, from: Int64, step: Int64
  ) -> Bool {
    var version = from
    for event in events {
      guard event.stream == stream, event.version == version else {
        report(.read, "\(stream) version \(version) was to be read next, and \(event.brief) was", ["\(read)"])
        return false
      }
      version += step
    }
    return true
  }

  private mutating func checkPositions(
    _ read: RecordedRead, _ events: [LoggedEvent], after: Int64
  ) -> Bool {
    var position = after
    for event in events {
      position += 1
      guard event.position == position else {
        report(.read, "position \(position) was to be read next, and \(event.brief) was", ["\(read)"])
        return false
      }
    }
    return true
  }
}
