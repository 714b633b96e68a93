import Chaos
import Foundation

/// A history told line by line, a second apart unless a time is given.
///
/// Event ids are small numbers, and an event's value is its number.
struct HandMadeHistory {
  private(set) var records: [HistoryRecord] = []
  private var operations = 0
  private var clock: Int64 = 0

  mutating func add(_ entry: HistoryRecord.Entry, at time: Int64? = nil, by process: String = "p") {
    clock = time ?? clock + 1
    records.append(HistoryRecord(at: clock * 1_000_000_000, process: process, entry))
  }

  /// An append with its answer; nil: it never came.
  mutating func append(
    _ parts: [AppendPart], _ answer: AppendAnswer?, from began: Int64? = nil, to ended: Int64? = nil
  ) {
    operations += 1
    let number = operations
    add(.appendBegan(operation: number, parts: parts), at: began)
    if let answer { add(.appendEnded(operation: number, answer: answer), at: ended) }
  }

  mutating func read(
    _ request: ReadRequest, _ answer: ReadAnswer, from began: Int64? = nil, to ended: Int64? = nil
  ) {
    operations += 1
    let number = operations
    add(.readBegan(operation: number, request: request), at: began)
    add(.readEnded(operation: number, answer: answer), at: ended)
  }

  mutating func log(_ events: LoggedEvent...) {
    for event in events { add(.stored(event)) }
  }

  var report: HistoryChecker.Report { HistoryChecker.check(records) }
}

func id(_ number: Int) -> UUID {
  let digits = String(number)
  return UUID(
    uuidString: "00000000-0000-0000-0000-" + String(repeating: "0", count: 12 - digits.count) + digits)
    ?? UUID()
}

func event(_ number: Int, poison: Bool = false) -> ProposedEvent {
  ProposedEvent(id: id(number), value: Int64(number), isPoison: poison)
}

func logged(_ number: Int, _ stream: String, _ version: Int64, at position: Int64) -> LoggedEvent {
  LoggedEvent(position: position, stream: stream, version: version, id: id(number), value: Int64(number))
}

func place(_ stream: String, _ version: Int64, at position: Int64?) -> AppendAnswer.Place {
  AppendAnswer.Place(stream, version: version, position: position)
}

/// Two appends to `a` and one to `b`, one after the other: events 1, 2 | 3 | 4 at positions 1, 2 | 3 | 4.
func goodHistory() -> HandMadeHistory {
  var history = HandMadeHistory()
  history.append([AppendPart("a", .none, [event(1), event(2)])], .committed([place("a", 2, at: 2)]))
  history.append([AppendPart("b", .any, [event(3)])], .committed([place("b", 1, at: 3)]))
  history.append([AppendPart("a", .version(2), [event(4)])], .committed([place("a", 3, at: 4)]))
  return history
}

let goodLog = [
  logged(1, "a", 1, at: 1), logged(2, "a", 2, at: 2), logged(3, "b", 1, at: 3), logged(4, "a", 3, at: 4),
]

extension HandMadeHistory {
  mutating func log(_ events: [LoggedEvent]) {
    for event in events { add(.stored(event)) }
  }
}
