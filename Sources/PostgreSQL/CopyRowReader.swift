/// Reads the fields of one row of PostgreSQL's binary `COPY` format.
public struct CopyRowReader {
  private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

  private let row: UnsafeRawBufferPointer
  private var offset = 0

  public init(_ row: UnsafeRawBufferPointer) { self.row = row }

  /// Skips the file header if this is the first row; false if it is the trailer.
  public mutating func begin(columns: Int) throws(PostgresError) -> Bool {
    if row.count >= 19, row.prefix(11).elementsEqual(Self.signature) {
      let extensionLength = Int(row.bigEndian(Int32.self, at: 15))
      offset = 19 + max(0, extensionLength)
    }
    // Some servers send the header as a message of its own.
    guard offset < row.count else { return false }
    guard offset + 2 <= row.count else { throw truncated }
    let count = row.bigEndian(Int16.self, at: offset)
    offset += 2
    if count == -1 { return false }
    guard count == columns else {
      throw PostgresError(.decoding, "COPY sent \(count) columns, \(columns) were expected")
    }
    return true
  }

  public mutating func next<Value: PostgresValue>(_ type: PostgresType) throws(PostgresError) -> Value {
    guard offset + 4 <= row.count else { throw truncated }
    let length = Int(row.bigEndian(Int32.self, at: offset))
    offset += 4
    guard length >= 0 else { return try Value(postgresBytes: nil, type: type.oid) }
    guard offset + length <= row.count else { throw truncated }
    defer { offset += length }
    return try Value(
      postgresBytes: UnsafeRawBufferPointer(rebasing: row[offset..<offset + length]), type: type.oid)
  }

  private var truncated: PostgresError { PostgresError(.decoding, "a row of COPY ends in the middle") }
}
