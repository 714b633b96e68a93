import Foundation
import Testing

@testable import Lake

@Suite("the monthly bills of a lake")
struct BillsTests {
  private func order(_ id: String, _ account: String, _ lines: [(Int, Int)], _ instant: String) -> (
    String, String
  ) {
    let items = lines.enumerated().map { #"{"seat":"A-\#($0)","amount":\#($1.0),"tax_rate_bp":\#($1.1)}"# }
    let total = lines.reduce(0) { $0 + $1.0 }
    return (
      "order-\(id)",
      #"{"order_id":"\#(id)","show_id":"s","account_id":"\#(account)","lines":[\#(items.joined(separator: ","))],"#
        + #""total":{"amount":\#(total),"currency":"EUR"},"refund":{"amount":\#(total),"currency":"EUR"},"#
        + #""occurred_at":"\#(instant)"}"#
    )
  }

  private func bills(_ log: TestLog) async throws -> (bills: [LakeBill], problems: [LakeProblem]) {
    let lake = TestLake()
    try await lake.export(log)
    let report = try await lake.verify()
    return (report.bills, report.problems)
  }

  @Test("add up the lines of confirmed orders, with the tax that each line contains")
  func charges() async throws {
    var log = TestLog()
    for (stream, data) in [
      order("1", "ann", [(10_700, 700), (5_350, 700)], "2026-11-24T19:30:00Z"),
      order("2", "ann", [(11_900, 1900)], "2026-11-25T00:00:00Z"),
      order("3", "bob", [(100, 0)], "2026-12-01T00:00:00Z"),
    ] { log.append(stream, "order-confirmed", data) }
    let (bills, problems) = try await bills(log)
    #expect(problems == [])
    #expect(
      bills == [
        LakeBill(
          accountID: "ann", month: "2026-11", currency: "EUR", gross: 27_950, tax: 700 + 350 + 1900,
          refunds: 0,
          net: 27_950 - 2950, due: 27_950, lines: 3),
        LakeBill(
          accountID: "bob", month: "2026-12", currency: "EUR", gross: 100, tax: 0, refunds: 0, net: 100,
          due: 100,
          lines: 1),
      ])
  }

  @Test("subtract a refund in the month in which it happened")
  func refunds() async throws {
    var log = TestLog()
    let (stream, charge) = order("1", "ann", [(10_700, 700)], "2026-11-30T12:00:00Z")
    let (_, refund) = order("1", "ann", [(10_700, 700)], "2026-12-01T12:00:00Z")
    log.append(stream, "order-confirmed", charge)
    log.append(stream, "order-cancelled", refund)
    let (bills, problems) = try await bills(log)
    #expect(problems == [])
    #expect(bills.map(\.month) == ["2026-11", "2026-12"])
    #expect(bills.map(\.due) == [10_700, -10_700])
    #expect(bills.map(\.tax) == [700, -700])
    #expect(bills.map(\.net) == [10_000, -10_000])
    #expect(bills.map(\.refunds) == [0, 10_700])
  }

  @Test("subtract what is given back for single seats; a fee stays charged with its tax")
  func singleSeats() async throws {
    var log = TestLog()
    let (stream, charge) = order("1", "ann", [(10_700, 700), (10_700, 700)], "2026-11-30T12:00:00Z")
    log.append(stream, "order-confirmed", charge)
    // Of 107.00 half is kept.
    log.append(
      stream, "order-seats-cancelled", order("1", "ann", [(5350, 700)], "2026-11-30T13:00:00Z").1)
    log.append(stream, "order-cancelled", order("1", "ann", [(10_700, 700)], "2026-11-30T14:00:00Z").1)
    let (bills, problems) = try await bills(log)
    #expect(problems == [])
    #expect(bills.map(\.refunds) == [16_050] && bills.map(\.due) == [5350])
    #expect(bills.map(\.tax) == [350] && bills.map(\.lines) == [4])
  }

  @Test("belong to the month of the account's clock, by the zone that it had at that point of the log")
  func zones() async throws {
    var log = TestLog()
    let instant = "2026-12-01T03:00:00Z"  // 22:00 on 30 November in New York
    log.append("order-1", "order-confirmed", order("1", "ann", [(100, 0)], instant).1)
    log.append(
      "account-ann", "account-opened", #"{"account_id":"ann","name":"Ann","time_zone":"America/New_York"}"#)
    log.append("order-2", "order-confirmed", order("2", "ann", [(20, 0)], instant).1)
    log.append(
      "account-ann", "account-opened", #"{"account_id":"ann","name":"Ann","time_zone":"Europe/Berlin"}"#)
    log.append("order-3", "order-confirmed", order("3", "ann", [(3, 0)], instant).1)
    let (bills, _) = try await bills(log)
    #expect(bills.map(\.month) == ["2026-11", "2026-12"])
    #expect(bills.map(\.due) == [20, 103])
  }

  @Test("ignore an order that was cancelled before it was confirmed")
  func unconfirmed() async throws {
    var log = TestLog()
    log.append("order-1", "order-cancelled", order("1", "ann", [], "2026-11-30T12:00:00Z").1)
    let (bills, problems) = try await bills(log)
    #expect(bills == [])
    #expect(problems == [])
  }

  @Test("come with a report of every order whose lines do not add up")
  func mismatch() async throws {
    var log = TestLog()
    let (stream, data) = order("1", "ann", [(100, 0)], "2026-11-30T12:00:00Z")
    log.append(stream, "order-confirmed", data.replacing(#""amount":100,"cur"#, with: #""amount":101,"cur"#))
    log.append("order-2", "order-confirmed", "{}")
    log.append("account-x", "account-opened", #"{"account_id":"x","time_zone":"Mars/Olympus"}"#)
    let (_, problems) = try await bills(log)
    #expect(problems.map(\.kind) == [.billing, .billing, .billing])
    #expect(problems.map(\.position) == [1, 2, 3])
    #expect(problems.first?.message == "expected the lines to add up to 101, they are 100")
  }
}
