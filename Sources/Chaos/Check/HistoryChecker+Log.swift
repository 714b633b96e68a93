/// What holds of every log, whoever wrote it.
extension HistoryChecker {
  mutating func checkLog() {
    checkPositions()
    checkVersions()
    checkIDs()
    checkHeads()
    for event in log.events { checkOrigin(event) }
  }

  private mutating func checkPositions() {
    var expected: Int64 = 1
    for event in log.events {
      if event.position < expected {
        report(.positions, "position \(event.position) is there twice", [event.brief])
      } else {
        if event.position > expected {
          let missing =
            event.position - expected == 1
            ? "position \(expected) is" : "positions \(expected) to \(event.position - 1) are"
          report(.positions, "\(missing) missing before \(event.position)", [event.brief])
        }
        expected = event.position + 1
      }
    }
  }

  private mutating func checkVersions() {
    var last: [String: LoggedEvent] = [:]
    for event in log.events {
      let before = last[event.stream]
      if event.version != (before?.version ?? 0) + 1 {
        report(
          .versions,
          "\(event.stream) has version \(event.version) after version \(before?.version ?? 0)",
          [before?.brief, event.brief].compactMap { $0 })
      }
      last[event.stream] = event
    }
  }

  private mutating func checkIDs() {
    for event in log.events {
      guard let first = log.byID[event.id], first != event else { continue }
      report(.uniqueIDs, "event \(event.id) is stored twice", [first.brief, event.brief])
    }
  }

  private mutating func checkHeads() {
    guard let heads else { return }
    if heads.position != log.last {
      report(.heads, "the head of the log says \(heads.position), its last event is at \(log.last)")
    }
    for stream in Set(heads.streams.keys).union(log.positions.keys).sorted() {
      let (kept, counted) = (heads.streams[stream] ?? 0, Int64(log.positions[stream]?.count ?? 0))
      if kept != counted {
        report(.heads, "\(stream) is kept at version \(kept), and has \(counted) events")
      }
    }
  }

  private mutating func checkOrigin(_ event: LoggedEvent) {
    let owners = (holders[event.id] ?? []).map { appends[$0] }
    let fits = owners.contains { append in
      append.parts.contains { part in
        part.stream == event.stream && part.events.contains { $0.id == event.id && $0.value == event.value }
      }
    }
    if !fits {
      report(
        .origin,
        owners.isEmpty
          ? "nobody appended \(event.brief)" : "\(event.brief) is not what was appended under its id",
        owners.map(\.description))
    }
  }
}
