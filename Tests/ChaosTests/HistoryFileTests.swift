import Chaos
import Foundation
import Testing

@Suite("Histories in files")
struct HistoryFileTests {
  private func withFile(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID()).jsonl").path
    defer { unlink(path) }
    try body(path)
  }

  @Test("what is recorded into a file is read from it, and judged the same")
  func roundTrip() throws {
    try withFile { path in
      var history = goodHistory()
      history.read(.head, .number(3))
      history.add(.delivered(Delivery("s", [goodLog[1]])))
      history.add(.projected(ProjectionSample("p", checkpoint: 1, [:])))
      history.log(goodLog)
      history.add(.heads(LogHeads(position: 4, streams: ["a": 3, "b": 1])))
      let recorder = try HistoryRecorder(process: "p", file: path)
      for record in history.records { try recorder.record(record.entry) }

      let read = try HistoryFile.read(path)

      #expect(read.count == history.records.count)
      #expect(HistoryChecker.check(read).rules == history.report.rules)
      #expect(history.report.rules == [.read, .subscriber, .projection])
    }
  }

  @Test("a line that a killed process has not finished is passed over; another broken line is named")
  func cutOff() throws {
    try withFile { path in
      try HistoryFile.write(goodHistory().records, to: path)
      let whole = try Data(contentsOf: URL(filePath: path))
      try whole.dropLast(7).write(to: URL(filePath: path))
      #expect(try HistoryFile.read(path).count == goodHistory().records.count - 1)
      try (Data("{\n".utf8) + whole).write(to: URL(filePath: path))
      let error = #expect(throws: HistoryFile.Unreadable.self) { try HistoryFile.read(path) }
      #expect(error?.description.contains("\(path):1") == true)
    }
  }

  @Test("a history in memory is bounded, and one that was cut off is not given out")
  func bounded() throws {
    let recorder = HistoryRecorder(process: "p", memoryLimit: 2)
    for _ in 0..<2 { try recorder.record(.readEnded(operation: 1, answer: .number(1))) }
    #expect(try recorder.records().count == 2)
    #expect(throws: HistoryRecorder.Failure.self) {
      try recorder.record(.readEnded(operation: 1, answer: .number(1)))
    }
    #expect(throws: HistoryRecorder.Failure.self) { try recorder.records() }
  }
}
