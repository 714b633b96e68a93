// What Swift's Codable asks of an encoder, on top of a JSONDocument. A container knows the depth of its inside; the
// document ends it when something is written farther out.

struct ValueEncoder: Encoder {
  let document: JSONDocument
  /// Of the value.
  let depth: Int

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(ObjectEncoder(document: document, place: document.begin(.object, at: depth)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    ArrayEncoder(document: document, place: document.begin(.array, at: depth))
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension ValueEncoder: SingleValueEncodingContainer {
  func encodeNil() throws { document.writeNull() }
  func encode(_ value: Bool) throws { document.write(value) }
  func encode(_ value: String) throws { document.write(value) }
  func encode(_ value: Double) throws { try document.write(value) }
  func encode(_ value: Float) throws { try document.write(value) }
  func encode(_ value: Int) throws { document.write(value) }
  func encode(_ value: Int8) throws { document.write(value) }
  func encode(_ value: Int16) throws { document.write(value) }
  func encode(_ value: Int32) throws { document.write(value) }
  func encode(_ value: Int64) throws { document.write(value) }
  func encode(_ value: UInt) throws { document.write(value) }
  func encode(_ value: UInt8) throws { document.write(value) }
  func encode(_ value: UInt16) throws { document.write(value) }
  func encode(_ value: UInt32) throws { document.write(value) }
  func encode(_ value: UInt64) throws { document.write(value) }
  func encode(_ value: some Encodable) throws { try document.write(encoding: value) }
}

private struct ObjectEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let document: JSONDocument
  let place: JSONDocument.Place

  var codingPath: [any CodingKey] { [] }

  private func value(_ key: some CodingKey) throws -> ValueEncoder {
    try document.element(key.stringValue, in: place)
    return ValueEncoder(document: document, depth: place.depth)
  }

  func encodeNil(forKey key: Key) throws { try value(key).encodeNil() }
  func encode(_ item: Bool, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: String, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Double, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Float, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Int, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Int8, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Int16, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Int32, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: Int64, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: UInt, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: UInt8, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: UInt16, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: UInt32, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: UInt64, forKey key: Key) throws { try value(key).encode(item) }
  func encode(_ item: some Encodable, forKey key: Key) throws { try value(key).encode(item) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    inside(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    inside(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { document.superEncoder() }
  func superEncoder(forKey key: Key) -> any Encoder { document.superEncoder() }

  /// These calls cannot throw.
  private func inside(_ key: some CodingKey) -> ValueEncoder {
    do { return try value(key) } catch {
      document.fail("\(key.stringValue) is written to a container after its end")
      return ValueEncoder(document: document, depth: document.depth)
    }
  }
}

private struct ArrayEncoder: UnkeyedEncodingContainer {
  let document: JSONDocument
  let place: JSONDocument.Place
  private(set) var count = 0

  init(document: JSONDocument, place: JSONDocument.Place) {
    self.document = document
    self.place = place
  }

  var codingPath: [any CodingKey] { [] }

  private mutating func value() throws -> ValueEncoder {
    try document.element(in: place)
    count += 1
    return ValueEncoder(document: document, depth: place.depth)
  }

  mutating func encodeNil() throws { try value().encodeNil() }
  mutating func encode(_ item: Bool) throws { try value().encode(item) }
  mutating func encode(_ item: String) throws { try value().encode(item) }
  mutating func encode(_ item: Double) throws { try value().encode(item) }
  mutating func encode(_ item: Float) throws { try value().encode(item) }
  mutating func encode(_ item: Int) throws { try value().encode(item) }
  mutating func encode(_ item: Int8) throws { try value().encode(item) }
  mutating func encode(_ item: Int16) throws { try value().encode(item) }
  mutating func encode(_ item: Int32) throws { try value().encode(item) }
  mutating func encode(_ item: Int64) throws { try value().encode(item) }
  mutating func encode(_ item: UInt) throws { try value().encode(item) }
  mutating func encode(_ item: UInt8) throws { try value().encode(item) }
  mutating func encode(_ item: UInt16) throws { try value().encode(item) }
  mutating func encode(_ item: UInt32) throws { try value().encode(item) }
  mutating func encode(_ item: UInt64) throws { try value().encode(item) }
  mutating func encode(_ item: some Encodable) throws { try value().encode(item) }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    inside().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { inside().unkeyedContainer() }
  mutating func superEncoder() -> any Encoder { document.superEncoder() }

  private mutating func inside() -> ValueEncoder {
    do { return try value() } catch {
      document.fail("an element is written to an array after its end")
      return ValueEncoder(document: document, depth: document.depth)
    }
  }
}

extension JSONDocument {
  fileprivate func superEncoder() -> any Encoder {
    fail("payloads are values; there is no class that inherits from another")
    return ValueEncoder(document: self, depth: depth)
  }
}
