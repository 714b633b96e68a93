import Foundation

/// A type of PostgreSQL by its object id, with the id of its array type.
public struct PostgresType: Hashable, Sendable {
  public let oid: UInt32
  public let arrayOID: UInt32

  public init(oid: UInt32, arrayOID: UInt32) {
    self.oid = oid
    self.arrayOID = arrayOID
  }

  public static let bool = PostgresType(oid: 16, arrayOID: 1000)
  public static let bytea = PostgresType(oid: 17, arrayOID: 1001)
  public static let int8 = PostgresType(oid: 20, arrayOID: 1016)
  public static let int2 = PostgresType(oid: 21, arrayOID: 1005)
  public static let int4 = PostgresType(oid: 23, arrayOID: 1007)
  public static let text = PostgresType(oid: 25, arrayOID: 1009)
  public static let varchar = PostgresType(oid: 1043, arrayOID: 1015)
  public static let name = PostgresType(oid: 19, arrayOID: 1003)
  public static let timestamptz = PostgresType(oid: 1184, arrayOID: 1185)
  public static let uuid = PostgresType(oid: 2950, arrayOID: 2951)
  public static let jsonb = PostgresType(oid: 3802, arrayOID: 3807)

  static let arrayOIDs = Set(
    [bool, bytea, int8, int2, int4, text, varchar, name, timestamptz, uuid, jsonb].map(\.arrayOID))
}

/// A Swift value that travels in PostgreSQL's binary format, both ways.
public protocol PostgresValue: Sendable {
  static var postgresType: PostgresType { get }
  var isPostgresNull: Bool { get }
  /// Appends the value's bytes (never called for NULL).
  func appendPostgresBytes(to bytes: inout [UInt8])
  /// `bytes` is nil for SQL NULL.
  init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError)
}

extension PostgresValue {
  public var isPostgresNull: Bool { false }
}

extension PostgresError {
  static func mismatch(_ type: Any.Type, _ oid: UInt32, _ bytes: UnsafeRawBufferPointer?) -> PostgresError {
    let got = bytes.map { "\($0.count) bytes of type \(oid)" } ?? "NULL"
    return PostgresError(.decoding, "expected \(type), the database sent \(got)")
  }
}

// MARK: Integers

extension UnsafeRawBufferPointer {
  func bigEndian<T: FixedWidthInteger>(_: T.Type, at offset: Int = 0) -> T {
    T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}

extension Array where Element == UInt8 {
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}

public protocol PostgresInteger: PostgresValue, FixedWidthInteger {}

extension PostgresInteger {
  public func appendPostgresBytes(to bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

  /// Accepts every integer type of the database that fits without loss.
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    let value: Int64
    switch (type, bytes?.count) {
    case (PostgresType.int8.oid, 8): value = bytes.map { $0.bigEndian(Int64.self) } ?? 0
    case (PostgresType.int4.oid, 4): value = bytes.map { Int64($0.bigEndian(Int32.self)) } ?? 0
    case (PostgresType.int2.oid, 2): value = bytes.map { Int64($0.bigEndian(Int16.self)) } ?? 0
    default: throw PostgresError.mismatch(Self.self, type, bytes)
    }
    guard let fitting = Self(exactly: value) else { throw PostgresError.mismatch(Self.self, type, bytes) }
    self = fitting
  }
}

extension Int16: PostgresInteger { public static var postgresType: PostgresType { .int2 } }
extension Int32: PostgresInteger { public static var postgresType: PostgresType { .int4 } }
extension Int64: PostgresInteger { public static var postgresType: PostgresType { .int8 } }
extension Int: PostgresInteger { public static var postgresType: PostgresType { .int8 } }

// MARK: Other scalars

extension Bool: PostgresValue {
  public static var postgresType: PostgresType { .bool }
  public func appendPostgresBytes(to bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    guard let bytes, type == PostgresType.bool.oid, bytes.count == 1 else {
      throw PostgresError.mismatch(Bool.self, type, bytes)
    }
    self = bytes[0] != 0
  }
}

extension String: PostgresValue {
  public static var postgresType: PostgresType { .text }
  public func appendPostgresBytes(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    let textual = [PostgresType.text.oid, PostgresType.varchar.oid, PostgresType.name.oid]
    guard let bytes, textual.contains(type) else { throw PostgresError.mismatch(String.self, type, bytes) }
    self = String(decoding: bytes, as: UTF8.self)
  }
}

extension UUID: PostgresValue {
  public static var postgresType: PostgresType { .uuid }
  public func appendPostgresBytes(to bytes: inout [UInt8]) {
    withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) }
  }
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    guard let bytes, type == PostgresType.uuid.oid, bytes.count == 16 else {
      throw PostgresError.mismatch(UUID.self, type, bytes)
    }
    self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }
}

/// A JSON document as UTF-8 bytes, stored as `jsonb`.
public struct JSONB: PostgresValue, Hashable {
  public let bytes: [UInt8]
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public static var postgresType: PostgresType { .jsonb }
  /// The first byte is the version of jsonb's wire format.
  public func appendPostgresBytes(to encoded: inout [UInt8]) {
    encoded.append(1)
    encoded.append(contentsOf: bytes)
  }
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    guard let bytes, type == PostgresType.jsonb.oid, bytes.count > 1, bytes[0] == 1 else {
      throw PostgresError.mismatch(JSONB.self, type, bytes)
    }
    self.bytes = Array(bytes.dropFirst())
  }
}

// MARK: NULL and arrays

extension Optional: PostgresValue where Wrapped: PostgresValue {
  public static var postgresType: PostgresType { Wrapped.postgresType }
  public var isPostgresNull: Bool { if case .none = self { true } else { false } }
  public func appendPostgresBytes(to bytes: inout [UInt8]) { self?.appendPostgresBytes(to: &bytes) }
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    self = bytes == nil ? nil : try Wrapped(postgresBytes: bytes, type: type)
  }
}

/// One-dimensional arrays; `[UInt8]` is `bytea` instead.
extension Array: PostgresValue where Element: PostgresValue {
  public static var postgresType: PostgresType {
    let element = Element.postgresType
    return element == PostgresByte.postgresType ? .bytea : PostgresType(oid: element.arrayOID, arrayOID: 0)
  }

  public func appendPostgresBytes(to bytes: inout [UInt8]) {
    // A cast to `[UInt8]` would look at every byte.
    if Element.self == UInt8.self { return withUnsafeBytes { bytes.append(contentsOf: $0) } }
    bytes.reserveCapacity(bytes.count + 20 + count * 20)
    bytes.appendBigEndian(Int32(isEmpty ? 0 : 1))
    bytes.appendBigEndian(Int32(contains { $0.isPostgresNull } ? 1 : 0))
    bytes.appendBigEndian(Element.postgresType.oid)
    guard !isEmpty else { return }
    bytes.appendBigEndian(Int32(count))
    bytes.appendBigEndian(Int32(1))
    for element in self {
      guard !element.isPostgresNull else {
        bytes.appendBigEndian(Int32(-1))
        continue
      }
      let start = bytes.count
      bytes.appendBigEndian(Int32(0))
      element.appendPostgresBytes(to: &bytes)
      Swift.withUnsafeBytes(of: Int32(bytes.count - start - 4).bigEndian) {
        bytes.replaceSubrange(start..<start + 4, with: $0)
      }
    }
  }

  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    guard let bytes else { throw PostgresError.mismatch(Self.self, type, nil) }
    let malformed = PostgresError.mismatch(Self.self, type, bytes)
    if type == PostgresType.bytea.oid {
      guard Element.self == UInt8.self else { throw malformed }
      self = bytes.withMemoryRebound(to: Element.self, Array.init)
      return
    }
    // What is not an array must not be read as one; only a known array type has the header that follows.
    guard PostgresType.arrayOIDs.contains(type), bytes.count >= 12 else { throw malformed }
    let dimensions = bytes.bigEndian(Int32.self)
    let elementType = bytes.bigEndian(UInt32.self, at: 8)
    self = []
    guard dimensions != 0 else { return }
    guard dimensions == 1, bytes.count >= 20 else { throw malformed }
    let count = Int(bytes.bigEndian(Int32.self, at: 12))
    guard count >= 0, count <= bytes.count / 4 else { throw malformed }
    reserveCapacity(count)
    var offset = 20
    for _ in 0..<count {
      guard offset + 4 <= bytes.count else { throw malformed }
      let length = Int(bytes.bigEndian(Int32.self, at: offset))
      offset += 4
      guard length >= 0 else {
        append(try Element(postgresBytes: nil, type: elementType))
        continue
      }
      guard offset + length <= bytes.count else { throw malformed }
      append(
        try Element(
          postgresBytes: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]), type: elementType)
      )
      offset += length
    }
  }
}

/// `UInt8` takes part only as the element of `bytea`.
private typealias PostgresByte = UInt8
extension UInt8: PostgresValue {
  public static var postgresType: PostgresType { PostgresType(oid: 18, arrayOID: PostgresType.bytea.oid) }
  public func appendPostgresBytes(to bytes: inout [UInt8]) { bytes.append(self) }
  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    guard let bytes, bytes.count == 1 else { throw PostgresError.mismatch(UInt8.self, type, bytes) }
    self = bytes[0]
  }
}
