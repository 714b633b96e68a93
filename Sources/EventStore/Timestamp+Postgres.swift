import PostgreSQL
import Vocabulary

/// `timestamptz`: microseconds since 2000-01-01 UTC.
extension Timestamp: PostgresValue {
  private static let postgresEpoch: Int64 = 946_684_800_000_000

  public static var postgresType: PostgresType { .timestamptz }

  public func appendPostgresBytes(to bytes: inout [UInt8]) {
    (microseconds &- Self.postgresEpoch).appendPostgresBytes(to: &bytes)
  }

  public init(postgresBytes bytes: UnsafeRawBufferPointer?, type: UInt32) throws(PostgresError) {
    guard type == PostgresType.timestamptz.oid else {
      throw PostgresError(.decoding, "expected timestamptz, the database sent type \(type)")
    }
    let sinceEpoch = try Int64(postgresBytes: bytes, type: PostgresType.int8.oid)
    let (microseconds, overflow) = sinceEpoch.addingReportingOverflow(Self.postgresEpoch)
    // ±infinity are the extreme integers.
    guard !overflow, sinceEpoch != .min, sinceEpoch != .max else {
      throw PostgresError(.decoding, "an infinite instant has no value here")
    }
    self.init(microseconds: microseconds)
  }
}
