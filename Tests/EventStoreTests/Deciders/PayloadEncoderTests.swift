import EventStore
import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite("Payloads in JSON")
struct PayloadEncoderTests {
  /// A value that uses every kind of container.
  private indirect enum Tree: Encodable {
    case nothing
    case truth(Bool)
    case integer(Int64)
    case small(Int8)
    case large(UInt64)
    case real(Double)
    case text(String)
    case bytes(Data)
    case id(UUID)
    case list([Tree])
    case object([String: Tree])
    /// An object whose fields are written by two values, as the plan of a show is.
    case joined([String: Tree], [String: Tree])
    case nested([String: [Tree]], empty: Bool)

    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ text: String) { stringValue = text }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { return nil }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .nothing:
        var container = encoder.singleValueContainer()
        try container.encodeNil()
      case .truth(let value): try single(value, encoder)
      case .integer(let value): try single(value, encoder)
      case .small(let value): try single(value, encoder)
      case .large(let value): try single(value, encoder)
      case .real(let value): try single(value, encoder)
      case .text(let value): try single(value, encoder)
      case .bytes(let value): try single(value, encoder)
      case .id(let value): try single(value, encoder)
      case .list(let values): try single(values, encoder)
      case .object(let fields): try single(fields, encoder)
      case .joined(let first, let second):
        try first.encode(to: encoder)
        try second.encode(to: encoder)
      case .nested(let fields, let isEmpty):
        var container = encoder.container(keyedBy: Key.self)
        for (key, values) in fields {
          var list = container.nestedUnkeyedContainer(forKey: Key(key))
          for value in values {
            var object = list.nestedContainer(keyedBy: Key.self)
            try object.encode(value, forKey: Key(key))
            try object.encodeNil(forKey: Key("none"))
            try object.encode(1, forKey: Key("one"))
          }
          if isEmpty { _ = list.nestedUnkeyedContainer() }
        }
      }
    }

    private func single(_ value: some Encodable, _ encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }

    static func random(depth: Int, _ random: inout SeededRandom) -> Tree {
      func list(_ random: inout SeededRandom) -> [Tree] {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in .random(depth: depth - 1, &random) }
      }
      func fields(_ prefix: String, _ random: inout SeededRandom) -> [String: Tree] {
        Dictionary(
          list(&random).map { (prefix + text(&random), $0) }, uniquingKeysWith: { first, _ in first })
      }
      switch Int.random(in: 0...(depth > 0 ? 12 : 8), using: &random) {
      case 0: return .nothing
      case 1: return .truth(Bool.random(using: &random))
      case 2:
        return .integer(
          [0, .min, .max, .random(in: -100...100, using: &random)].randomElement(using: &random) ?? 0)
      case 3: return .small(Int8.random(in: .min ... .max, using: &random))
      case 4:
        return .large([0, .max, .random(in: 0 ... .max, using: &random)].randomElement(using: &random) ?? 0)
      case 5: return .real([0, -0.5, 1e-9, 1e300, 5].randomElement(using: &random) ?? 0)
      case 6: return .text(text(&random))
      case 7: return .bytes(Data(text(&random).utf8))
      case 8: return .id(UUID())
      case 9: return .list(list(&random))
      case 10: return .object(fields("", &random))
      case 11: return .joined(fields("a", &random), fields("b", &random))
      default:
        return .nested(
          [text(&random): list(&random), "z": list(&random)], empty: Bool.random(using: &random))
      }
    }

    private static func text(_ random: inout SeededRandom) -> String {
      let parts = [
        "", "a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "\u{7F}", "/", "ß", "☂", "🎭", "\u{2028}", "x:y,{",
      ]
      return (0..<Int.random(in: 0...4, using: &random))
        .map { _ in parts.randomElement(using: &random) ?? "" }.joined()
    }
  }

  @Test("whatever a value is made of, they say what Foundation's encoder says")
  func equal() throws {
    var random = SeededRandom(for: "payloads in JSON")
    for _ in 0..<400 {
      let tree = Tree.random(depth: 4, &random)
      let ours = try JSONSerialization.jsonObject(
        with: Data(try PayloadEncoder().encode(tree)), options: .fragmentsAllowed)
      let theirs = try JSONSerialization.jsonObject(
        with: try JSONEncoder().encode(tree), options: .fragmentsAllowed)
      #expect(try #require(ours as? NSObject) == theirs as? NSObject, "\(tree)")
    }
  }

  private struct Careless: Encodable {
    let write: @Sendable (any Encoder) throws -> Void
    func encode(to encoder: any Encoder) throws { try write(encoder) }
  }

  private func refuses(_ write: @escaping @Sendable (any Encoder) throws -> Void) -> Bool {
    do {
      _ = try PayloadEncoder().encode(["field": Careless(write: write)])
      return false
    } catch { return error is EncodingError }
  }

  @Test("what has no one form in JSON is refused")
  func refused() {
    #expect(refuses { try Date.now.encodeAlone(to: $0) })
    #expect(refuses { try Decimal(1).encodeAlone(to: $0) })
    #expect(refuses { try Double.nan.encodeAlone(to: $0) })
    #expect(refuses { try Float.infinity.encodeAlone(to: $0) })
    #expect(refuses { _ = $0.container(keyedBy: Tree.Key.self).superEncoderOf() })
  }

  @Test("a container that has ended takes no more, also if another is open at its place")
  func ended() {
    #expect(
      refuses { encoder in
        var outer = encoder.container(keyedBy: Tree.Key.self)
        var first = outer.nestedUnkeyedContainer(forKey: Tree.Key("first"))
        try first.encode(1)
        _ = outer.nestedUnkeyedContainer(forKey: Tree.Key("second"))
        try first.encode(2)
      })
    #expect(
      refuses { encoder in
        var outer = encoder.container(keyedBy: Tree.Key.self)
        var first = outer.nestedUnkeyedContainer(forKey: Tree.Key("first"))
        try outer.encode(1, forKey: Tree.Key("second"))
        _ = first.nestedContainer(keyedBy: Tree.Key.self)
      })
    #expect(
      refuses { encoder in
        _ = encoder.container(keyedBy: Tree.Key.self)
        _ = encoder.unkeyedContainer()
      })
  }
}

extension Encodable {
  fileprivate func encodeAlone(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self)
  }
}

extension KeyedEncodingContainer {
  fileprivate func superEncoderOf() -> any Encoder {
    var container = self
    return container.superEncoder()
  }
}
