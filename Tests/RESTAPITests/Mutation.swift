import TestSupport

/// Changes a request body at random: its structure, or its bytes.
struct Mutation {
  var random: SeededRandom

  /// A body that may be wrong in one to three ways.
  mutating func body(from valid: JSON) -> [UInt8] {
    var value = valid
    for _ in 0..<Int.random(in: 0...2, using: &random) { value = changed(value) }
    var bytes = Array(value.text.utf8)
    if Bool.random(using: &random) || value == valid { change(&bytes) }
    return bytes
  }

  // MARK: Structure

  /// With one place inside changed.
  private mutating func changed(_ value: JSON) -> JSON {
    // Sorted: the order of a dictionary differs from run to run, and the seed must say it all.
    let names = value.object.keys.sorted()
    guard Int.random(in: 0..<4, using: &random) > 0 else { return replacement(for: value) }
    switch value {
    case .object(var members):
      guard let name = names.randomElement(using: &random), let member = members[name] else {
        return anything()
      }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: members[name] = nil
      case 1: members[text()] = anything()
      default: members[name] = changed(member)
      }
      return .object(members)
    case .array(var elements):
      guard let index = elements.indices.randomElement(using: &random) else { return [anything()] }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: elements.remove(at: index)
      case 1: elements.insert(Bool.random(using: &random) ? elements[index] : anything(), at: index)
      default: elements[index] = changed(elements[index])
      }
      return .array(elements)
    default: return replacement(for: value)
    }
  }

  private mutating func replacement(for value: JSON) -> JSON {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: .string(value.text)
    case 1: [value]
    case 2: ["value": value]
    default: anything()
    }
  }

  private mutating func anything() -> JSON {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: .null
    case 1: .bool(Bool.random(using: &random))
    case 2: .integer(random.anyInt64())
    case 3: .integer(Int64.random(in: -2...200, using: &random))
    case 4:
      .number(Double(sign: .minus, exponent: Int.random(in: -300...300, using: &random), significand: 1.5))
    case 5: []
    case 6: [:]
    case 7: .array((0..<Int.random(in: 1...3, using: &random)).map { _ in .integer(random.anyInt64()) })
    default: .string(text())
    }
  }

  private mutating func text() -> String {
    let known = [
      "", " ", "a", "A-1", "hamlet", "hamlet:x", ":", "..", "EUR", "XXX", "UTC", "Etc/GMT+5", "\u{0}",
      "\u{7F}", "é",
      "e\u{301}", "👩‍👩‍👧", "\u{202E}", "'; drop table aisle.events; --", "%00", "0000-01-01T00:00:00+23:59",
      "9999-12-31T23:59:59-23:59", "0000-12-31T23:59:59Z", "2026-11-24T19:30:00.999999999Z",
    ]
    if let text = known.randomElement(using: &random), Int.random(in: 0..<3, using: &random) > 0 {
      return text
    }
    let count = [1, 36, 92, 128, 129, 200, 201, 5000].randomElement(using: &random) ?? 1
    return String(repeating: known.randomElement(using: &random) ?? "a", count: count)
  }

  // MARK: Bytes

  private mutating func change(_ bytes: inout [UInt8]) {
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      guard let index = bytes.indices.randomElement(using: &random) else { return }
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(Array(#"{}[],:"\0-+.eE"#.utf8).randomElement(using: &random) ?? 0, at: index)
      case 4: bytes.removeSubrange(index...)
      default: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
      }
    }
  }
}
