import Foundation
import Testing
import Vocabulary

@Suite("An instant")
struct TimestampTests {
  @Test(
    "is written in UTC, with a fraction only when there is one",
    arguments: [
      (0, "1970-01-01T00:00:00Z"),
      (1, "1970-01-01T00:00:00.000001Z"),
      (-1, "1969-12-31T23:59:59.999999Z"),
      (1_795_548_600_000_000, "2026-11-24T19:30:00Z"),
      (1_795_548_600_250_000, "2026-11-24T19:30:00.250000Z"),
      (951_782_400_000_000, "2000-02-29T00:00:00Z"),
      (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
      (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
    ] as [(Int64, String)])
  func isWritten(_ microseconds: Int64, _ text: String) {
    #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
    #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
  }

  @Test(
    "is read with any offset, letter case and number of digits",
    arguments: [
      ("2026-11-24T20:30:00+01:00", "2026-11-24T19:30:00Z"),
      ("2026-11-24T14:00:00-05:30", "2026-11-24T19:30:00Z"),
      ("2026-11-24t19:30:00z", "2026-11-24T19:30:00Z"),
      ("2026-11-24T19:30:00.5Z", "2026-11-24T19:30:00.500000Z"),
      ("2026-11-24T19:30:00.1234567899Z", "2026-11-24T19:30:00.123456Z"),
      ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
      ("2026-11-24T19:30:00-00:00", "2026-11-24T19:30:00Z"),
    ])
  func isRead(_ text: String, _ utc: String) {
    #expect(Timestamp(rfc3339: text)?.rfc3339 == utc)
  }

  @Test(
    "is refused when it is not an RFC 3339 date-time",
    arguments: [
      "", "2026-11-24", "2026-11-24T19:30:00", "2026-11-24 19:30:00Z", "2026-11-24T19:30Z",
      "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-31T00:00:00Z",
      "2026-11-24T24:00:00Z", "2026-11-24T19:60:00Z", "2026-11-24T23:59:60Z", "2026-11-24T19:30:00.Z",
      "2026-11-24T19:30:00+0100", "2026-11-24T19:30:00+24:00", "2026-11-24T19:30:00Z ",
      "+2026-11-24T19:30:00Z",
      "２026-11-24T19:30:00Z", "1900-02-29T00:00:00Z", "2026-11-24T19:30:00,5Z",
    ])
  func isRefused(_ text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test("of any microsecond survives being written and read")
  func roundTrip() {
    var random = SeededRandom(for: "RFC 3339 round trip")
    for _ in 0..<5_000 {
      let instant = Timestamp(
        microseconds: .random(in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &random))
      #expect(Timestamp(rfc3339: instant.rfc3339) == instant)
    }
  }

  @Test("of any second is written as Foundation writes it")
  func agreesWithFoundation() {
    var random = SeededRandom(for: "RFC 3339 against Foundation")
    // From 1583 on: before it, Foundation's calendar is the Julian one.
    for _ in 0..<5_000 {
      let second = Int64.random(in: -12_212_553_600...253_402_300_799, using: &random)
      let foundation = Date(timeIntervalSince1970: Double(second)).formatted(.iso8601)
      #expect(Timestamp(microseconds: second * 1_000_000).rfc3339 == foundation)
    }
  }

  @Test("moves by durations, and differs from another one by a duration")
  func arithmetic() {
    let noon: Timestamp = "2026-11-24T12:00:00Z"
    #expect(noon + .seconds(600) == "2026-11-24T12:10:00Z")
    #expect(noon - .milliseconds(1) == "2026-11-24T11:59:59.999000Z")
    #expect(noon + .nanoseconds(1_999) == "2026-11-24T12:00:00.000001Z")
    #expect(noon - ("2026-11-23T12:00:00Z" as Timestamp) == .seconds(86_400))
    #expect(("2026-11-23T12:00:00Z" as Timestamp) < noon)
  }

  @Test("at the end of all time stays there")
  func saturates() {
    let last = Timestamp(microseconds: .max)
    let first = Timestamp(microseconds: .min)
    #expect(last + .microseconds(1) == last)
    #expect(first - .microseconds(1) == first)
    #expect(first + .seconds(Int64.max) == last)
    #expect(first + .seconds(Int64.max) * 4 == last)
    #expect(first + (last - first) == last)
    #expect(last - (last - first) == first)
    #expect(first + .microseconds(Int64.max) == Timestamp(microseconds: -1))
    #expect(last - .seconds(Int64.max) == first)
    #expect(last - first == .microseconds(Int64.max) - .microseconds(Int64.min))
    #expect(!last.rfc3339.isEmpty && !first.rfc3339.isEmpty)
    #expect(throws: EncodingError.self) { try json([last]) }
  }

  @Test("says in JSON what is wrong with it")
  func inJSON() throws {
    #expect(try json(["2026-11-24T19:30:00Z" as Timestamp]) == #"["2026-11-24T19:30:00Z"]"#)
    expectRefusal(of: #"["tomorrow"]"#, as: [Timestamp].self, saying: #""tomorrow" is not an RFC 3339"#)
  }
}
