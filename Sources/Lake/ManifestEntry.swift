import Crypto

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

/// One commit of a lake: a range of positions and the files that hold it.
///
/// An entry is a pure function of the events in its range and of the entry before it, so the digest of the
/// last entry identifies a whole lake.
public struct ManifestEntry: Codable, Sendable, Hashable {
  public let formatVersion: Int
  /// 1 for the first entry; also the name of its file.
  public let number: Int64
  public let tenant: Int32
  public let logID: String
  public let firstPosition: Int64
  public let lastPosition: Int64
  public let count: Int64
  /// The id of the event at `lastPosition`: the next export compares it with the log before it goes on.
  public let lastEventID: String
  /// The SHA-256 of the bytes of the entry before this one.
  public let previousSHA256: String?
  public let files: [File]

  /// One data file.
  public struct File: Codable, Sendable, Hashable {
    /// Relative to the lake's directory.
    public let path: String
    /// The UTC date of `recorded_at` of every event in the file.
    public let eventDate: String
    public let firstPosition: Int64
    public let lastPosition: Int64
    public let count: Int64
    /// Of the file as it lies on the disk.
    public let bytes: Int64
    public let uncompressedBytes: Int64
    /// Of the compressed bytes, in lower-case hexadecimal.
    public let sha256: String

    enum CodingKeys: String, CodingKey {
      case path, count, bytes, sha256
      case eventDate = "event_date"
      case firstPosition = "first_position"
      case lastPosition = "last_position"
      case uncompressedBytes = "uncompressed_bytes"
    }
  }

  enum CodingKeys: String, CodingKey {
    case number, tenant, count, files
    case formatVersion = "format_version"
    case logID = "log_id"
    case firstPosition = "first_position"
    case lastPosition = "last_position"
    case lastEventID = "last_event_id"
    case previousSHA256 = "previous_sha256"
  }
}

extension ManifestEntry {
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    // Sorted, so that the same entry is always the same bytes.
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try Array(encoder.encode(self)) + [0x0A]
  }

  init(decoding bytes: [UInt8], path: String) throws(LakeError) {
    let decoder = JSONDecoder()
    // First, because the rest of a later format may not be readable.
    if let version = try? decoder.decode([String: Lenient<Int>].self, from: Data(bytes))["format_version"]?
      .value,
      version != LakeLayout.formatVersion
    {
      throw .unsupportedFormat(path: path, version: version)
    }
    do {
      self = try decoder.decode(ManifestEntry.self, from: Data(bytes))
    } catch {
      throw .damagedManifest(path: path, reason: "not a manifest entry (\(error))")
    }
    let numbers = files.flatMap { [$0.firstPosition, $0.lastPosition, $0.count] }
    for number in [number, firstPosition, lastPosition, count] + numbers
    where !LakeLayout.numbers.contains(number) {
      let reason = "not a manifest entry (\(number) is not a number from 1 to 2^62)"
      throw .damagedManifest(path: path, reason: reason)
    }
  }
}

/// A value of this type, or anything else.
private struct Lenient<Value: Decodable>: Decodable {
  let value: Value?

  init(from decoder: any Decoder) throws {
    value = try? decoder.singleValueContainer().decode(Value.self)
  }
}

extension Sequence where Element == UInt8 {
  /// Lower-case, two digits a byte.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension SHA256 {
  static func hexadecimal(of bytes: [UInt8]) -> String { hash(data: bytes).hexadecimal }
}
