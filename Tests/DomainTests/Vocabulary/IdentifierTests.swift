import Testing
import Vocabulary

@Suite("An identifier")
struct IdentifierTests {
  @Test(
    "has 1 to 128 letters, digits, dots, underscores, colons and dashes",
    arguments: ["a", "A-1", "row.B_2:3", String(repeating: "x", count: 128)])
  func accepted(_ raw: String) {
    #expect(HoldID(raw)?.rawValue == raw)
  }

  @Test(
    "with anything else is refused",
    arguments: ["", "a b", "a/b", "é", "a\n", "a%20", "😀", "a\u{0}", String(repeating: "x", count: 129)])
  func refused(_ raw: String) {
    #expect(HoldID(raw) == nil)
  }

  @Test("is a string in JSON, and a wrong one is answered with the rule")
  func inJSON() throws {
    #expect(try json(["h-1" as HoldID]) == #"["h-1"]"#)
    #expect(try decode([HoldID].self, from: #"["h-1"]"#) == ["h-1"])
    expectRefusal(of: #"["a/b"]"#, as: [HoldID].self, saying: "1 to 128 characters")
  }

  @Test("of a tenant is a number in JSON")
  func tenant() throws {
    #expect(try json([TenantID.main]) == "[1]")
    #expect(try decode([TenantID].self, from: "[7]") == [TenantID(7)])
  }
}
