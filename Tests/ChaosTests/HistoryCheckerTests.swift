import Chaos
import Foundation
import Testing

@Suite("The history checker")
struct HistoryCheckerTests {
  /// The good history with other events in the log.
  private func rules(_ log: [LoggedEvent]) -> Set<Violation.Rule> {
    var history = goodHistory()
    history.log(log)
    return history.report.rules
  }

  private func rules(_ change: (inout HandMadeHistory) -> Void) -> Set<Violation.Rule> {
    var history = goodHistory()
    change(&history)
    history.log(goodLog)
    return history.report.rules
  }

  @Test("a history in which everything is right breaks no rule, and is counted")
  func good() {
    var history = goodHistory()
    history.append([AppendPart("a", .version(2), [event(9)])], .conflict([.init("a", 3)]))
    history.append([AppendPart("b", .any, [event(3)])], .duplicate([place("b", 1, at: 3)]))
    history.append([AppendPart("b", .any, [event(10)])], .unknown("gone"))
    history.append([AppendPart("b", .any, [event(11, poison: true)])], .failed(.rejected, "not JSON"))
    history.append([AppendPart("b", .any, [event(12), event(3)])], .failed(.eventIDReused, ""))
    history.append([AppendPart("b", .any, [event(13)])], nil)
    history.read(.stream("a", from: 2, limit: 10), .events([goodLog[1], goodLog[3]]))
    history.read(.streamBackward("a", limit: 2), .events([goodLog[3], goodLog[1]]))
    history.read(.log(after: 1, limit: 2), .events([goodLog[1], goodLog[2]]))
    history.read(.head, .number(4))
    history.read(.version("c"), .number(0))
    history.read(.head, .failed("no connection"))
    history.add(.delivered(Delivery("s", Array(goodLog[0...1]))))
    history.add(.delivered(Delivery("s", Array(goodLog[1...3]))))
    history.add(.drained(subscriber: "s", position: 4))
    var a = Balance()
    a.add(1)
    a.add(2)
    history.add(.projected(ProjectionSample("p", checkpoint: 2, ["a": a])))
    history.add(.projected(ProjectionSample("p", checkpoint: 0, [:])))
    history.log(goodLog)
    history.add(.heads(LogHeads(position: 4, streams: ["a": 3, "b": 1])))
    let report = history.report
    #expect(report.violations.map(\.description) == [])
    #expect(
      report.outcomes == [
        "committed": 3, "conflict": 1, "duplicate": 1, "unknown": 1, "rejected": 1, "eventIDReused": 1,
        "unanswered": 1,
      ])
    #expect(report.appends == 9 && report.reads == 6 && report.deliveries == 5 && report.events == 4)
  }

  @Test("an unknown append may be in the log: at most once, and whole")
  func unknown() {
    for stored in [0, 2] {
      var history = HandMadeHistory()
      history.append([AppendPart("a", .none, [event(1), event(2)])], .unknown("gone"))
      history.log(Array(goodLog.prefix(stored)))
      #expect(history.report.holds)
    }
  }

  // MARK: The log

  @Test("a missing or doubled position is found")
  func positions() {
    #expect(rules([goodLog[0], goodLog[1], goodLog[3]]).contains(.positions))
    #expect(rules(goodLog + [logged(5, "b", 2, at: 4)]).contains(.positions))
  }

  @Test("versions of a stream that have a gap or another order than positions are found")
  func versions() {
    #expect(rules([goodLog[0], goodLog[1], goodLog[2], logged(4, "a", 4, at: 4)]).contains(.versions))
    #expect(
      rules([logged(1, "a", 2, at: 1), logged(2, "a", 1, at: 2), goodLog[2], goodLog[3]]).contains(.versions))
  }

  @Test("an event that is stored twice is found")
  func twice() {
    #expect(rules(goodLog + [logged(4, "a", 4, at: 5)]).contains(.uniqueIDs))
  }

  @Test("a head or a stream's version that disagrees with the events is found")
  func heads() {
    #expect(rules { $0.add(.heads(LogHeads(position: 5, streams: ["a": 3, "b": 1]))) } == [.heads])
    #expect(rules { $0.add(.heads(LogHeads(position: 4, streams: ["a": 2, "b": 1]))) } == [.heads])
    #expect(rules { $0.add(.heads(LogHeads(position: 4, streams: ["a": 3, "b": 1, "c": 1]))) } == [.heads])
  }

  @Test("an event that nobody appended, or not so, is found")
  func origin() {
    #expect(rules(goodLog + [logged(5, "b", 2, at: 5)]) == [.origin])
    let changed = LoggedEvent(position: 3, stream: "b", version: 1, id: id(3), value: 99)
    #expect(rules([goodLog[0], goodLog[1], changed, goodLog[3]]) == [.origin])
  }

  // MARK: Appends

  @Test("an acknowledged event that is lost, or stands elsewhere than was answered, is found")
  func acknowledged() {
    #expect(rules(Array(goodLog.prefix(3))).contains(.acknowledged))
    var history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], .committed([place("a", 2, at: 1)]))
    history.log(goodLog[0])
    #expect(history.report.rules == [.acknowledged])
    history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], .committed([place("a", 1, at: 2)]))
    history.log(goodLog[0])
    #expect(history.report.rules == [.acknowledged])
  }

  @Test("the version told of a stream that was only read must have been its version")
  func condition() {
    #expect(
      rules {
        $0.append(
          [AppendPart("b", .any, [event(3)]), AppendPart("a", .exists)],
          .duplicate([place("b", 1, at: 3), place("a", 1, at: nil)]))
      } == [.duplicate])
  }

  @Test("an event of a failed append that is in the log is found, whatever the failure was")
  func failed() {
    for failure in AppendAnswer.Failure.allCases {
      var history = HandMadeHistory()
      history.append([AppendPart("a", .any, [event(1, poison: true)])], .failed(failure, ""))
      history.log(goodLog[0])
      #expect(history.report.rules.contains(.failed), "\(failure)")
    }
    var history = HandMadeHistory()
    history.append([AppendPart("a", .version(3), [event(1)])], .conflict([.init("a", 0)]))
    history.log(goodLog[0])
    #expect(history.report.rules.contains(.failed))
  }

  @Test("half of an append whose answer is unknown is found, and one that does not stand side by side")
  func atomic() {
    var history = HandMadeHistory()
    history.append([AppendPart("a", .none, [event(1), event(2)])], .unknown("gone"))
    history.log(goodLog[0])
    #expect(history.report.rules == [.atomic])
    history = HandMadeHistory()
    history.append([AppendPart("a", .none, [event(1), event(2)])], nil)
    history.append([AppendPart("b", .none, [event(3)])], .unknown("gone"))
    history.log(goodLog[0], logged(3, "b", 1, at: 2), logged(2, "a", 2, at: 3))
    #expect(history.report.rules == [.atomic])
  }

  @Test("an append that is stored although a stream was not as expected is found, also if it is only read")
  func expectedVersion() {
    #expect(
      rules { $0.append([AppendPart("a", .version(3), [event(5)])], .unknown("gone")) } == [])
    var history = goodHistory()
    history.append([AppendPart("b", .version(2), [event(5)])], .committed([place("b", 2, at: 5)]))
    history.log(goodLog + [logged(5, "b", 2, at: 5)])
    #expect(history.report.rules == [.expectedVersion])
    history = goodHistory()
    history.append([AppendPart("b", .any, [event(5)]), AppendPart("a", .version(2))], nil)
    history.log(goodLog + [logged(5, "b", 2, at: 5)])
    #expect(history.report.rules == [.expectedVersion])
  }

  @Test("an append that is over before another begins has the lower position")
  func realTime() {
    var history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], .committed([place("a", 1, at: 2)]), from: 1, to: 2)
    history.append([AppendPart("b", .any, [event(2)])], .committed([place("b", 1, at: 1)]), from: 3, to: 4)
    history.log(logged(2, "b", 1, at: 1), logged(1, "a", 1, at: 2))
    #expect(history.report.rules == [.realTime])
    // Appends that overlap may come in either order.
    history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], .committed([place("a", 1, at: 2)]), from: 1, to: 3)
    history.append([AppendPart("b", .any, [event(2)])], .committed([place("b", 1, at: 1)]), from: 2, to: 4)
    history.log(logged(2, "b", 1, at: 1), logged(1, "a", 1, at: 2))
    #expect(history.report.holds)
  }

  @Test("who has seen a position has seen everything before it: a later append cannot come in below")
  func realTimeOfReads() {
    var history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], nil, from: 1)
    history.read(.log(after: 1, limit: 1), .events([logged(1, "a", 1, at: 2)]), from: 2, to: 3)
    history.append([AppendPart("b", .any, [event(2)])], nil, from: 4)
    history.log(logged(2, "b", 1, at: 1), logged(1, "a", 1, at: 2))
    #expect(history.report.rules.contains(.realTime))
  }

  @Test("a conflict must name a version that was not expected and that the stream had meanwhile")
  func conflict() {
    // As expected, never there, and there only before or after the append.
    #expect(
      rules { $0.append([AppendPart("a", .version(3), [event(9)])], .conflict([.init("a", 3)])) } == [
        .conflict
      ])
    #expect(
      rules { $0.append([AppendPart("a", .none, [event(9)])], .conflict([.init("a", 7)])) } == [.conflict])
    #expect(
      rules { $0.append([AppendPart("a", .none, [event(9)])], .conflict([.init("a", 2)])) } == [.conflict])
    #expect(
      rules { $0.append([AppendPart("a", .none, [event(9)])], .conflict([.init("a", 3)]), from: 1, to: 2) }
        == [.conflict])
    #expect(
      rules { $0.append([AppendPart("a", .none, [event(9)])], .conflict([.init("b", 1)])) } == [.conflict])
    #expect(rules { $0.append([AppendPart("a", .none, [event(9)])], .conflict([])) } == [.conflict])
  }

  @Test("the versions that a conflict names were there at one moment together")
  func conflictOfTwo() {
    func found(_ a: Int64, _ b: Int64) -> Set<Violation.Rule> {
      rules {
        $0.append(
          [AppendPart("a", .version(99), [event(9)]), AppendPart("b", .version(99))],
          .conflict([.init("a", a), .init("b", b)]), from: 0, to: 9)
      }
    }
    #expect(found(2, 1) == [])
    #expect(found(2, 0) == [])
    #expect(found(3, 0) == [.conflict])
  }

  @Test("a duplicate must have been appended before, and is told with its original position")
  func duplicate() {
    #expect(
      rules { $0.append([AppendPart("b", .any, [event(3)])], .duplicate([place("b", 1, at: 4)])) } == [
        .duplicate
      ])
    var history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], .duplicate([place("a", 1, at: 1)]))
    history.log(goodLog[0])
    #expect(history.report.rules == [.duplicate])
  }

  @Test("events are refused only for what is wrong with them")
  func refusal() {
    #expect(rules { $0.append([AppendPart("a", .any, [event(9)])], .failed(.rejected, "")) } == [.refusal])
    #expect(
      rules { $0.append([AppendPart("a", .any, [event(9)])], .failed(.eventIDReused, "")) } == [.refusal])
  }

  // MARK: Reads

  @Test("a read that misses what was committed before it began is found")
  func staleRead() {
    #expect(rules { $0.read(.head, .number(3)) } == [.read])
    #expect(rules { $0.read(.version("a"), .number(2)) } == [.read])
    #expect(rules { $0.read(.stream("a", from: 1, limit: 10), .events(Array(goodLog[0...1]))) } == [.read])
    #expect(rules { $0.read(.streamBackward("a", limit: 1), .events([goodLog[1]])) } == [.read])
    #expect(rules { $0.read(.log(after: 0, limit: 10), .events(Array(goodLog[0...2]))) } == [.read])
    #expect(rules { $0.read(.log(after: 3, limit: 10), .events([])) } == [.read])
  }

  @Test("a read that sees what was begun only after it is found")
  func readOfTheFuture() {
    #expect(rules { $0.read(.head, .number(4), from: 0, to: 4) } == [.read])
    #expect(rules { $0.read(.version("a"), .number(3), from: 0, to: 4) } == [.read])
    #expect(rules { $0.read(.head, .number(5)) } == [.read])
  }

  @Test("a read with a hole, another order, or an event that is not in the log is found")
  func wrongRead() {
    #expect(rules { $0.read(.stream("a", from: 1, limit: 2), .events([goodLog[0], goodLog[3]])) } == [.read])
    #expect(rules { $0.read(.log(after: 0, limit: 2), .events([goodLog[1], goodLog[0]])) } == [.read])
    #expect(rules { $0.read(.log(after: 0, limit: 2), .events([goodLog[0], goodLog[2]])) } == [.read])
    #expect(rules { $0.read(.streamBackward("a", limit: 9), .events([goodLog[3], goodLog[1]])) } == [.read])
    #expect(
      rules { $0.read(.log(after: 4, limit: 2), .events([logged(7, "c", 1, at: 5)])) }.contains(.read))
  }

  // MARK: Subscribers and projections

  @Test("a subscriber that passes over an event is found, also if the event comes later")
  func skipped() {
    #expect(rules { $0.add(.delivered(Delivery("s", [goodLog[1]]))) } == [.subscriber])
    #expect(
      rules {
        $0.add(.delivered(Delivery("s", [goodLog[0], goodLog[2]])))
        $0.add(.delivered(Delivery("s", [goodLog[1], goodLog[2], goodLog[3]])))
      } == [.subscriber])
  }

  @Test("a batch out of order, an event that is not in the log, and an end that is not reached are found")
  func wrongDelivery() {
    #expect(
      rules {
        $0.add(.delivered(Delivery("s", goodLog)))
        $0.add(.delivered(Delivery("s", [goodLog[2], goodLog[1]])))
      } == [.subscriber])
    #expect(rules { $0.add(.delivered(Delivery("s", [logged(1, "a", 1, at: 9)]))) } == [.subscriber])
    #expect(
      rules {
        $0.add(.delivered(Delivery("s", Array(goodLog[0...2]))))
        $0.add(.drained(subscriber: "s", position: 4))
      } == [.subscriber])
    #expect(rules { $0.add(.drained(subscriber: "s", position: 4)) } == [.subscriber])
  }

  @Test("partitions are each handed their streams in order, and together all of them")
  func partitions() {
    let (a, b) = ([goodLog[0], goodLog[1], goodLog[3]], [goodLog[2]])
    func found(_ deliveries: [Delivery]) -> Set<Violation.Rule> {
      rules { history in
        for delivery in deliveries { history.add(.delivered(delivery)) }
        history.add(.drained(subscriber: "s", position: 4))
      }
    }
    #expect(found([Delivery("s", partition: 1, b), Delivery("s", partition: 0, a)]) == [])
    #expect(found([Delivery("s", partition: 0, a)]) == [.subscriber])
    #expect(
      found([Delivery("s", partition: 0, [a[0], a[2]]), Delivery("s", partition: 1, b)]) == [.subscriber])
    #expect(
      found([
        Delivery("s", partition: 0, a), Delivery("s", partition: 1, b), Delivery("s", partition: 1, [a[0]]),
      ]).contains(.subscriber))
  }

  @Test("a projection that has missed, doubled or turned round an event, or is ahead of the log, is found")
  func projection() {
    func balance(_ values: Int64...) -> Balance { values.reduce(into: Balance()) { $0.add($1) } }
    func found(_ checkpoint: Int64, _ balances: [String: Balance]) -> Set<Violation.Rule> {
      rules { $0.add(.projected(ProjectionSample("p", checkpoint: checkpoint, balances))) }
    }
    #expect(found(3, ["a": balance(1, 2), "b": balance(3)]) == [])
    #expect(found(3, ["a": balance(1), "b": balance(3)]) == [.projection])
    #expect(found(3, ["a": balance(1, 2, 2), "b": balance(3)]) == [.projection])
    #expect(found(3, ["a": balance(2, 1), "b": balance(3)]) == [.projection])
    #expect(found(2, ["a": balance(1, 2), "b": balance(3)]) == [.projection])
    #expect(found(3, ["a": balance(1, 2)]) == [.projection])
    #expect(found(5, ["a": balance(1, 2, 4), "b": balance(3)]) == [.projection])
  }

  // MARK: The report

  @Test("a breach names the records that prove it")
  func evidence() {
    var history = HandMadeHistory()
    history.append([AppendPart("a", .any, [event(1)])], .committed([place("a", 1, at: 1)]))
    let text = history.report.violations.map(\.description).joined()
    #expect(text.contains("p append 1, 1.000000–2.000000 s: a expecting any version"))
  }

  @Test("of many breaches of one rule some are listed and all are counted")
  func many() {
    var history = HandMadeHistory()
    for number in 1...50 {
      history.append(
        [AppendPart("a", .any, [event(number)])], .committed([place("a", Int64(number), at: Int64(number))]))
    }
    let report = history.report
    #expect(report.violations.count == HistoryChecker.listed)
    #expect(report.counts == ["acknowledged": 50])
  }

  @Test("every rule is shown to fire by a test above")
  func everyRule() {
    // A rule that is added here must be added there.
    #expect(Violation.Rule.allCases.count == 16)
  }

  @Test("a hundred thousand operations are judged in seconds", .timeLimit(.minutes(1)))
  func large() {
    var history = HandMadeHistory()
    var log: [LoggedEvent] = []
    for number in 1...100_000 {
      let stream = "s\(number % 100)"
      let version = Int64((number - 1) / 100 + 1)
      let event = LoggedEvent(
        position: Int64(number), stream: stream, version: number % 100 == 0 ? version : version,
        id: id(number),
        value: Int64(number))
      history.append(
        [AppendPart(stream, .any, [ProposedEvent(id: event.id, value: event.value)])],
        .committed([place(stream, event.version, at: event.position)]))
      log.append(event)
    }
    history.log(log)
    #expect(history.report.holds)
  }
}
