import Foundation
import Testing
import Vocabulary

@testable import Scenarios

@Suite("A run's report")
struct RunReportTests {
  @Test("is the same after a round trip through JSON")
  func roundTrip() throws {
    for report in try [SampleReports.lastSeat(), SampleReports.readModelCheck(), SampleReports.monthEnd()] {
      #expect(try RunReport(json: report.json()) == report)
    }
  }

  @Test("has snake_case keys and a format number")
  func keys() throws {
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(SampleReports.readModelCheck().json().utf8))
        as? [String: Any])
    #expect(json["format"] as? Int == 1)
    #expect(json["strategy"] as? String == "read-model-check")
    #expect(json["started_at"] as? String == SampleReports.startedAt.rfc3339)
    var names: Set<String> = []
    collectKeys(json, into: &names)
    #expect(
      names.isSuperset(of: ["refused_by_reason", "p99_9_us", "from_read_model", "start_us", "duration_us"]))
    // Keys of the breakdowns are codes.
    #expect(
      names.subtracting(["seats-unavailable"]).allSatisfy {
        $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" }
      })
  }

  private func collectKeys(_ value: Any, into names: inout Set<String>) {
    if let object = value as? [String: Any] {
      names.formUnion(object.keys)
      for value in object.values { collectKeys(value, into: &names) }
    } else if let list = value as? [Any] {
      for value in list { collectKeys(value, into: &names) }
    }
  }

  @Test("counts winners, refusals by reason, errors by kind, and seats")
  func counters() throws {
    let counters = try SampleReports.readModelCheck().counters
    #expect(counters.attempts == 200)
    #expect(counters.winners == 11)
    #expect(counters.refusedByReason == ["seats-unavailable": 188])
    #expect(counters.errorsByKind == ["timeout": 1])
    #expect(counters.seatsSold == 11)
    #expect(counters.differentSeatsSold == 1)
  }

  @Test("passes only if every invariant holds, and something was checked")
  func verdict() throws {
    var report = try SampleReports.lastSeat()
    #expect(report.verdict.holds)
    #expect(report.verdict.firstBroken == nil)
    report.invariants[3].holds = false
    #expect(!Verdict(counters: report.counters, invariants: report.invariants).holds)
    #expect(!Verdict(counters: report.counters, invariants: []).holds)
  }

  @Test("of an oversold seat does not speak of seats won")
  func oversoldHeadline() throws {
    #expect(
      try SampleReports.readModelCheck().verdict.headline
        == "11 buyers were sold one seat. 188 were refused. 1 met an error.")
  }

  @Test("calls first what was broken earliest, not what stands first in the file")
  func firstBroken() throws {
    var report = try SampleReports.readModelCheck()
    let index = try #require(report.invariants.firstIndex { $0.name == .noUnexpectedErrors })
    report.invariants[index].brokenAtMicroseconds = 1
    #expect(
      Verdict(counters: report.counters, invariants: report.invariants).firstBroken == .noUnexpectedErrors)
  }

  @Test("holds an invariant only if the log and the read models both do")
  func findings() {
    func result(_ log: Bool, _ model: Bool) -> Bool {
      InvariantResult(
        Invariant(.allSeatsSold), evidence: "", fromLog: .init(holds: log, evidence: ""),
        fromReadModel: .init(holds: model, evidence: "")
      ).holds
    }
    #expect(result(true, true))
    #expect(!result(true, false))
    #expect(!result(false, true))
    #expect(!InvariantResult(Invariant(.allSeatsSold), evidence: "nobody looked").holds)
  }

  @Test("counts every answer in the aggregate, even those of lanes that it leaves out")
  func sampledRace() throws {
    let race = try SampleReports.soldOut().race
    #expect(race.isSampled)
    #expect(race.lanes.count == Race.laneLimit)
    #expect(race.bins.reduce(0) { $0 + $1.total } == 2_000)
    #expect(race.bins.count <= Race.binCount)
    #expect(race.lanes.map(\.startMicroseconds) == race.lanes.map(\.startMicroseconds).sorted())
  }

  @Test("keeps every error among the lanes, however rare")
  func errorsAreKept() throws {
    var attempts = (0..<5_000).map { index in
      Attempt(
        buyer: "b-\(index)", group: "b", show: "s", action: .buy, startMicroseconds: Int64(index),
        endMicroseconds: Int64(index + 5), outcome: .refused, reason: "seats-unavailable")
    }
    for index in [17, 2_500, 4_999] { attempts[index].outcome = .error }
    attempts[3_333].outcome = .won
    let race = Race(attempts)
    #expect(race.lanes.filter { $0.outcome == .error }.map(\.buyer) == ["b-17", "b-2500", "b-4999"])
    #expect(race.lanes.contains { $0.outcome == .won })
    #expect(race.lanes.count == Race.laneLimit)
  }

  @Test("keeps at most fifty rows of evidence and says how many it leaves out")
  func details() {
    let details = InvariantResult.Details(columns: ["n"], rows: (0..<73).map { ["\($0)"] })
    #expect(details.rows.count == 50)
    #expect(details.omitted == 23)
  }
}
