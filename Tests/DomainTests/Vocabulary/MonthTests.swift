import Testing
import Vocabulary

@Suite("A month")
struct MonthTests {
  @Test("is written YYYY-MM and read from nothing else")
  func text() {
    #expect(Month("2026-11")?.description == "2026-11")
    #expect(Month("0099-01")?.description == "0099-01")
    for wrong in [
      "", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026/11", "2026-11-01", "+026-11", "2026-٠١",
    ] {
      #expect(Month(wrong) == nil, "\(wrong)")
    }
  }

  @Test("has neighbours across the year, and the first and last have none")
  func neighbours() {
    #expect(Month(literal: "2026-12").next == Month(literal: "2027-01"))
    #expect(Month(literal: "2026-01").previous == Month(literal: "2025-12"))
    #expect(Month(literal: "2026-05").next == Month(literal: "2026-06"))
    #expect(Month(literal: "9999-12").next == Month(literal: "9999-12"))
    #expect(Month(literal: "0000-01").previous == Month(literal: "0000-01"))
    #expect(Month(literal: "2025-12") < Month(literal: "2026-01"))
  }

  @Test("is that of the wall clock")
  func ofInstant() {
    let lateInOctober: Timestamp = "2026-10-31T23:30:00Z"
    #expect(Month(of: lateInOctober) == Month(literal: "2026-10"))
    #expect(Month(of: lateInOctober, utcOffset: 3600) == Month(literal: "2026-11"))
    #expect(Month(of: "1969-12-31T23:59:59.999999Z") == Month(literal: "1969-12"))
    #expect(Month(of: Timestamp(microseconds: .max)) == Month(literal: "9999-12"))
    #expect(Month(of: Timestamp(microseconds: .min)) == Month(literal: "0000-01"))
  }

  @Test("is a string in JSON")
  func inJSON() throws {
    #expect(try json([Month(literal: "2026-11")]) == #"["2026-11"]"#)
    #expect(try decode([Month].self, from: #"["2026-11"]"#) == [Month(literal: "2026-11")])
    expectRefusal(of: #"["November"]"#, as: [Month].self, saying: #""November" is not a month"#)
  }

  @Test("of every day from year 0 to 9999 has the days of the Gregorian calendar")
  func everyDay() throws {
    var date = try #require(CivilDate(year: 0, month: 1, day: 1))
    for day in date.daysSinceEpoch..<2_932_897 {
      let next = CivilDate(daysSinceEpoch: day + 1)
      guard date.daysSinceEpoch == day, isNextDay(next, after: date) else {
        Issue.record("\(date) is day \(date.daysSinceEpoch), not \(day), or is followed by \(next)")
        return
      }
      date = next
    }
    #expect(date == CivilDate(year: 10_000, month: 1, day: 1))
  }

  private func isNextDay(_ next: CivilDate, after date: CivilDate) -> Bool {
    if next.day == date.day + 1 { return next.month == date.month && next.year == date.year }
    guard next.day == 1, CivilDate(year: date.year, month: date.month, day: date.day + 1) == nil else {
      return false
    }
    return date.month == 12
      ? next.month == 1 && next.year == date.year + 1
      : next.month == date.month + 1 && next.year == date.year
  }
}
