import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@Suite("Values on the wire")
struct ValueTests {
  @Test("every value comes back as it went: alone, optional, NULL, in arrays with and without NULLs")
  func roundTrip() async throws {
    try await withConnection { connection in
      var random = SeededRandom(for: "every value comes back as it went")
      for _ in 0..<60 {
        try await check(Bool.random(using: &random), on: connection)
        try await check(Int16(truncatingIfNeeded: random.anyInt64()), on: connection)
        try await check(Int32(truncatingIfNeeded: random.anyInt64()), on: connection)
        try await check(random.anyInt64(), on: connection)
        try await check(Int(random.anyInt64()), on: connection)
        try await check(random.anyText(), on: connection)
        try await check(random.anyUUID(), on: connection)
        try await check(random.anyBytes(upTo: 300), on: connection)
        try await check(random.anyInstant(), on: connection)
        try await check(JSONB(Array(random.anyJSON().utf8)), on: connection)
      }
    }
  }

  @Test("the edges of every type come back as they went")
  func edges() async throws {
    try await withConnection { connection in
      for value in [Int64.min, -1, 0, 1, .max] { try await check(value, on: connection) }
      for value in [Int32.min, .max] { try await check(value, on: connection) }
      for value in [Int16.min, .max] { try await check(value, on: connection) }
      for value in ["", " ", "'", "\\", "$1", "ÿ", "e\u{301}", "\u{e9}", "👩‍👩‍👧‍👦", "\u{10FFFF}", "\r\n\t\u{1}"] {
        try await check(value, on: connection)
      }
      for value in [[], [0], Array(repeating: UInt8(0xFF), count: 20)] {
        try await check(value, on: connection)
      }
      // The first instant that PostgreSQL has and the last one that we have.
      for value in [-210_866_803_200_000_000, 0, Int64.max] {
        try await check(Timestamp(microseconds: value), on: connection)
      }
    }
  }

  @Test("megabytes in one value come back as they went")
  func large() async throws {
    try await withConnection { connection in
      var random = SeededRandom(for: "megabytes in one value")
      let bytes = (0..<(8 << 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      try await #expect(connection.one("select \(bytes)") == bytes)
      let text = String(repeating: "Jürgen 👋 ", count: 200_000)
      try await #expect(connection.one("select \(text)") == text)
    }
  }

  @Test("empty arrays arrive as empty arrays of their type")
  func emptyArrays() async throws {
    try await withConnection { connection in
      let rows = try await connection.query(
        """
        select \([] as [String]), \([] as [Int64]), \([] as [UUID]), \([] as [JSONB]), \([] as [[UInt8]]),
               \([] as [Bool?])
        """)
      let (texts, numbers, ids, documents, bytes, flags) = try #require(rows.first).decode(
        [String].self, [Int64].self, [UUID].self, [JSONB].self, [[UInt8]].self, [Bool?].self)
      #expect(
        texts.isEmpty && numbers.isEmpty && ids.isEmpty && documents.isEmpty && bytes.isEmpty && flags.isEmpty
      )
      try await #expect(connection.one("select cardinality(\([] as [Int32]))") == 0)
    }
  }

  @Test(
    "a value of another type, NULL, or a number too large is an error that names the column",
    arguments: [
      ("'text' as price", "Int", "text"), ("null::bigint as price", "Int", "NULL"),
      ("70000 as price", "Int16", "int"), ("1 as price", "String", "int"), ("1 as price", "Bool", "int"),
      ("'a' as price", "UUID", "text"), ("'{}'::text as price", "JSONB", "text"),
      ("1.5::numeric as price", "Int", "numeric"), ("null::text as price", "String", "NULL"),
      ("array[1, null] as price", "[Int]", "NULL"), ("array['a'] as price", "[Int]", "text"),
      // These have bytes that look like the head of an array.
      ("'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid as price", "[Int]", "uuid"),
      ("'00000000-0000-0000-0000-000000000000'::uuid as price", "[Int]", "uuid"),
      ("'ÿÿÿÿÿÿÿÿÿÿ' as price", "[Int]", "text"), ("''::bytea as price", "[Int]", "bytea"),
      ("array[[1, 2], [3, 4]] as price", "[Int]", "two dimensions"),
    ])
  func mismatch(_ column: String, _ wanted: String, _ why: String) async throws {
    try await withConnection { connection in
      let row = try #require(try await connection.query(SQL("select \(column)", [])).first)
      let error = #expect(throws: PostgresError.self) {
        switch wanted {
        case "Int": _ = try row.decode(Int.self)
        case "Int16": _ = try row.decode(Int16.self)
        case "String": _ = try row.decode(String.self)
        case "Bool": _ = try row.decode(Bool.self)
        case "UUID": _ = try row.decode(UUID.self)
        case "JSONB": _ = try row.decode(JSONB.self)
        default: _ = try row.decode([Int].self)
        }
      }
      #expect(error?.kind == .decoding)
      #expect(error?.message.contains("\"price\"") == true, "\(why): \(error?.message ?? "")")
    }
  }

  @Test("asking for more columns than there are is an error, not a crash")
  func missingColumn() async throws {
    try await withConnection { connection in
      let row = try #require(try await connection.query("select 1 as a").first)
      #expect(throws: PostgresError.self) { try row.decode(Int.self, Int.self) }
    }
  }

  @Test("infinity is no instant")
  func infinity() async throws {
    try await withConnection { connection in
      for text in ["infinity", "-infinity"] {
        let row = try #require(try await connection.query("select \(text)::text::timestamptz as at").first)
        #expect(throws: PostgresError.self) { try row.decode(Timestamp.self) }
      }
    }
  }

  private func check<Value: PostgresValue & Hashable>(
    _ value: Value, on connection: PostgresConnection, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let rows = try await connection.query(
      """
      select \(value), \(value as Value?), \(nil as Value?), \([value, value]), \([nil, value, nil] as [Value?]),
             \(nil as [Value]?)
      """)
    let (alone, optional, null, pair, sparse, nullArray) = try #require(rows.first).decode(
      Value.self, Value?.self, Value?.self, [Value].self, [Value?].self, [Value]?.self)
    // `==` on strings would accept another normal form.
    func same(_ a: Value?) -> Bool {
      (a as? String).map { Array($0.utf8) == Array((value as? String ?? "").utf8) } ?? (a == value)
    }
    #expect(same(alone) && same(optional), "\(value)", sourceLocation: sourceLocation)
    #expect(null == nil && nullArray == nil, sourceLocation: sourceLocation)
    #expect(pair.count == 2 && pair.allSatisfy(same), "\(value)", sourceLocation: sourceLocation)
    #expect(
      sparse.count == 3 && sparse[0] == nil && same(sparse[1]) && sparse[2] == nil, "\(value)",
      sourceLocation: sourceLocation)
  }
}

extension SeededRandom {
  fileprivate mutating func anyText() -> String {
    let pieces = [
      "", "a", "Ω", "é", "e\u{301}", "👩‍👧", "'", "\"", "\\", "\n", "$1", "--", "\u{7F}", "漢字", "{}", ",",
    ]
    return (0..<Int.random(in: 0..<12, using: &self)).map { _ in pieces.randomElement(using: &self) ?? "" }
      .joined()
  }

  fileprivate mutating func anyBytes(upTo limit: Int) -> [UInt8] {
    (0..<Int.random(in: 0..<limit, using: &self)).map { _ in UInt8.random(in: 0 ... .max, using: &self) }
  }

  fileprivate mutating func anyUUID() -> UUID {
    let bytes = (0..<16).map { _ in UInt8.random(in: 0 ... .max, using: &self) }
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }

  fileprivate mutating func anyInstant() -> Timestamp {
    Timestamp(
      microseconds: Int64.random(in: -200_000_000_000_000_000...9_000_000_000_000_000_000, using: &self))
  }

  /// In the form that `jsonb` gives back.
  fileprivate mutating func anyJSON() -> String {
    let number = random(Int64.min ... .max)
    return [
      "null", "true", "\(number)", "\"Ω 👋 \\\" \\n\"", "[]", "{}", "[1, \(number)]",
      "{\"a\": {\"b\": [\(number)]}}",
    ]
    .randomElement(using: &self) ?? "0"
  }

  private mutating func random(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }
}
