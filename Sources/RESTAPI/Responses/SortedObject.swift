/// A JSON object with names that the data chooses, in their order: the same content is the same bytes in every process.
struct SortedObject<Value: Encodable & Sendable>: Encodable, Sendable {
  let members: [String: Value]

  init(_ members: [String: Value]) { self.members = members }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      try container.encode(value, forKey: Name(stringValue: name))
    }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
