import Vocabulary

/// A place in a request's JSON body. Reading it either gives a value or records a fault with its JSON Pointer, so
/// that one answer names everything that has to be mended. Members that nobody reads are ignored.
struct JSONNode {
  private enum Content {
    case value(JSONValue)
    case absent
    /// Something around it is wrong already, and has been recorded.
    case unreadable
  }

  private let content: Content
  private let place: Place?
  let faults: Faults

  init(_ value: JSONValue, faults: Faults) {
    self.init(.value(value), nil, faults)
  }

  private init(_ content: Content, _ place: Place?, _ faults: Faults) {
    self.content = content
    self.place = place
    self.faults = faults
  }

  /// Where in the document. Hardly any request has a fault, so the pointer's text is made when it does.
  private final class Place: Sendable {
    let parent: Place?
    let name: String

    init(_ name: String, in parent: Place?) {
      self.name = name
      self.parent = parent
    }

    var pointer: String {
      (parent?.pointer ?? "") + "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
  }

  var pointer: String { place?.pointer ?? "" }

  /// Whether there is something other than null.
  var isPresent: Bool {
    switch content {
    case .value(.null), .absent: false
    case .value, .unreadable: true
    }
  }

  var isObject: Bool { if case .value(.object) = content { true } else { false } }

  /// What `read` makes of this; a nil inside if there is nothing.
  func ifPresent<Value>(_ read: (JSONNode) -> Value?) -> Value?? {
    guard isPresent else { return .some(nil) }
    return read(self).map(Optional.some)
  }

  var isArray: Bool { if case .value(.array) = content { true } else { false } }

  func reject(_ message: String) { faults.add(.pointer(pointer), message) }

  // MARK: Structure

  subscript(name: String) -> JSONNode {
    let place = Place(name, in: place)
    switch content {
    case .value(.object(let members)):
      return JSONNode(members[name].map(Content.value) ?? .absent, place, faults)
    case .value, .absent, .unreadable:
      return JSONNode(.unreadable, place, faults)
    }
  }

  /// Records a fault unless this is an object.
  func requireObject() {
    read("an object") { if case .object = $0 { true } else { nil } }
  }

  /// Every element, read by `element`; nil if one could not be.
  func array<Element>(
    of count: ClosedRange<Int>, _ element: (JSONNode) -> Element?
  ) -> [Element]? {
    guard let values = read("an array", { if case .array(let values) = $0 { values } else { nil } }) else {
      return nil
    }
    guard count.contains(values.count) else {
      reject("has \(values.count) elements; use \(count.lowerBound) to \(count.upperBound)")
      return nil
    }
    let elements = values.enumerated().map { index, value in
      element(JSONNode(.value(value), Place("\(index)", in: place), faults))
    }
    let readable = elements.compactMap(\.self)
    return readable.count == elements.count ? readable : nil
  }

  /// Whether this is an array with an element like that. Records nothing.
  func hasElement(_ isWanted: (JSONNode) -> Bool) -> Bool {
    guard case .value(.array(let values)) = content else { return true }
    return values.isEmpty || values.contains { isWanted(JSONNode(.value($0), nil, Faults())) }
  }

  // MARK: Values

  func integer(_ range: ClosedRange<Int64>, default absence: Int64? = nil) -> Int64? {
    if let absence, !isPresent { return absence }
    let rule = "an integer from \(range.lowerBound) to \(range.upperBound)"
    guard let text = read(rule, { if case .number(let text) = $0 { text } else { nil } }) else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      reject("is \(text.prefix(40)); it must be \(rule), written without fraction and exponent")
      return nil
    }
    return number
  }

  func boolean(default absence: Bool) -> Bool? {
    guard isPresent else { return absence }
    return read("true or false") { if case .bool(let value) = $0 { value } else { nil } }
  }

  /// One of a few words.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type = Choice.self) -> Choice? {
    parse("one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))", Choice.init(rawValue:))
  }

  /// Text without control characters.
  func string(length: ClosedRange<Int>) -> String? {
    guard let text = text("a string of \(length.lowerBound) to \(length.upperBound) characters") else {
      return nil
    }
    guard length.contains(text.count) else {
      reject("has \(text.count) characters; use \(length.lowerBound) to \(length.upperBound)")
      return nil
    }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      reject("contains a control character; leave it out")
      return nil
    }
    return text
  }

  func identifier<Subject>(_: Identifier<Subject>.Type = Identifier<Subject>.self) -> Identifier<Subject>? {
    parse("an identifier of 1 to 128 characters out of A-Z a-z 0-9 . _ : -", Identifier<Subject>.init(_:))
  }

  func timestamp() -> Timestamp? {
    parse("an instant as in RFC 3339, such as 2026-11-24T19:30:00Z, in the years 0 to 9999 of UTC") { text in
      // An offset may lead to a year that RFC 3339 cannot name: neither an event nor an answer could hold it.
      Timestamp(rfc3339: text).flatMap { (0...9999).contains($0.civilDate().year) ? $0 : nil }
    }
  }

  func email() -> EmailAddress? {
    parse("an e-mail address such as ann@example.org", EmailAddress.init(_:))
  }

  func currency() -> Currency? { parse("an ISO 4217 currency such as EUR", Currency.init(_:)) }

  private func parse<Value>(_ rule: String, _ make: (String) -> Value?) -> Value? {
    guard let text = text(rule) else { return nil }
    guard let value = make(text) else {
      reject("is \"\(text.prefix(64))\"; it must be \(rule)")
      return nil
    }
    return value
  }

  private func text(_ rule: String) -> String? {
    read(rule) { if case .string(let text) = $0 { text } else { nil } }
  }

  @discardableResult
  private func read<Value>(_ rule: String, _ take: (JSONValue) -> Value?) -> Value? {
    switch content {
    case .unreadable: return nil
    case .absent:
      reject("is missing; it must be \(rule)")
      return nil
    case .value(let value):
      if let taken = take(value) { return taken }
      reject("is \(value.kind); it must be \(rule)")
      return nil
    }
  }
}
