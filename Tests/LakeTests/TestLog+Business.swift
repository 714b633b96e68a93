import Foundation
import Lake
import Vocabulary

extension TestLog {
  /// Accounts, shows and orders in random order, with payloads as the services record them and others besides.
  static func business(_ count: Int, seed: UInt64, meanGap: Duration = .seconds(2000)) -> TestLog {
    var generator = SeededGenerator(seed: seed)
    var log = TestLog()
    let zones = ["UTC", "America/New_York", "Asia/Tokyo"]
    for index in 0..<count {
      let after = meanGap * Double.random(in: 0..<2, using: &generator)
      let account = "acc-\(Int.random(in: 0..<4, using: &generator))"
      let order = "o-\(Int.random(in: 0..<9, using: &generator))"
      let show = "hamlet-\(Int.random(in: 0..<3, using: &generator))"
      let seats = (0..<Int.random(in: 1...3, using: &generator)).map { "A-\($0)" }
      let amounts = seats.map { _ in Int.random(in: 0..<9000, using: &generator) }
      let total = amounts.reduce(0, +)
      let lines = zip(seats, amounts).map { #"{"seat":"\#($0)","amount":\#($1),"tax_rate_bp":1900}"# }
        .joined(separator: ",")
      let instant = Timestamp(microseconds: TestLog.start + Int64(index) * 86_400_000_000).rfc3339
      let ids = #""order_id":"\#(order)","show_id":"\#(show)","account_id":"\#(account)""#
      switch Int.random(in: 0..<8, using: &generator) {
      case 0:
        let zone = zones.randomElement(using: &generator) ?? "UTC"
        log.append(
          "account-\(account)", "account-opened", #"{"account_id":"\#(account)","time_zone":"\#(zone)"}"#,
          after: after)
      case 1, 2:
        let named = seats.map { #""\#($0)""# }.joined(separator: " , ")
        log.append(
          "show-\(show)", "seats-held",
          #"{"hold_id":"\#(show):h","seats":[ \#(named) ],"held_at":"\#(instant)","note":"\u00e9 \"}]"}"#,
          after: after, actor: "ann")
      case 3:
        log.append(
          "order-\(order)", "order-placed",
          #"{\#(ids),"lines":[\#(lines)],"total":{"amount":\#(total),"currency":"EUR"},"placed_at":"\#(instant)"}"#,
          after: after)
      case 4, 5:
        log.append(
          "order-\(order)", "order-confirmed",
          #"{\#(ids),"lines":[\#(lines)],"total":{"amount":\#(total),"currency":"EUR"},"occurred_at":"\#(instant)"}"#,
          after: after)
      case 6:
        log.append(
          "order-\(order)", "order-cancelled",
          #"{\#(ids),"lines":[\#(lines)],"refund":{"currency":"EUR","amount":\#(total)},"occurred_at":"\#(instant)"}"#,
          after: after)
      default:
        // Categories and texts that paths and JSON have to survive.
        log.append("ca/t=ä %-\(index)", "some thing", #"{"a":[{},null,-1.5e3,"\\"],"b":{}}"#, after: after)
      }
    }
    return log
  }
}

extension TestLake {
  static let delta = LakeExportOptions(format: .delta, targetBytes: 6000, filesPerEntry: 9)
}
