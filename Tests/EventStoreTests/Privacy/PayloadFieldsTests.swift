import Foundation
import TestSupport
import Testing

@testable import EventStore

@Suite("The fields of a payload")
struct PayloadFieldsTests {
  private static func value(_ depth: Int, _ random: inout SeededRandom) -> Any {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
    case 0: return NSNull()
    case 1: return Bool.random(using: &random)
    case 2: return Int.random(in: -5...5_000_000, using: &random)
    case 3:
      return ["", "a\"b", "{", "}", "[,]", "\\", "☂:,", "$sealed", "line\nend", "\\\""]
        .randomElement(using: &random) ?? ""
    case 4: return Double(Int.random(in: -9...9, using: &random)) / 4
    case 5: return (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth - 1, &random) }
    default: return object(depth - 1, &random)
    }
  }

  private static func object(_ depth: Int, _ random: inout SeededRandom) -> [String: Any] {
    Dictionary(
      (0..<Int.random(in: 0...5, using: &random)).map { number in
        (
          ["key", "a b", "☂", "with:colon", "x,y"].randomElement(using: &random)! + "\(number)",
          value(depth, &random)
        )
      }, uniquingKeysWith: { first, _ in first })
  }

  @Test("property: each field's bytes are its value, however values nest, and replacing one changes no other")
  func fields() throws {
    var random = SeededRandom(for: "fields of a payload")
    for _ in 0..<2000 {
      let object = Self.object(3, &random)
      let options: [JSONSerialization.WritingOptions] = [[], [.prettyPrinted], [.sortedKeys]]
      let bytes = Array(
        try JSONSerialization.data(
          withJSONObject: object, options: options.randomElement(using: &random) ?? []))
      let fields = try #require(PayloadFields(bytes))
      #expect(Set(fields.values.keys) == Set(object.keys))
      for (key, range) in fields.values {
        let value = try JSONSerialization.jsonObject(with: Data(bytes[range]), options: [.fragmentsAllowed])
        #expect((value as? NSObject) == (object[key] as? NSObject), "\(key)")
        let changed = bytes.replacing([(range: range, value: Array("\"new\"".utf8))])
        var expected = object
        expected[key] = "new"
        let read = try JSONSerialization.jsonObject(with: Data(changed)) as? NSObject
        #expect(read == expected as NSObject)
      }
    }
  }

  @Test(
    "what is no object has no fields",
    arguments: ["[1]", "1", "\"a\"", "", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{a}"])
  func noObject(_ text: String) {
    #expect(PayloadFields(Array(text.utf8)) == nil)
  }
}
