import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

/// One line of a commit: exactly one of these. See <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>.
struct DeltaAction: Codable, Sendable {
  var commitInfo: CommitInfo?
  var `protocol`: ProtocolVersion?
  var metaData: MetaData?
  var add: Add?
  var remove: Remove?
  var txn: Transaction?

  struct CommitInfo: Codable, Sendable {
    var timestamp: Int64?
    var operation: String?
    var operationParameters: [String: String]?
    var engineInfo: String?
    /// Ours; other programs have none.
    var aisle: Range?
  }

  /// What a commit of ours adds to its table.
  struct Range: Codable, Sendable, Hashable {
    var firstPosition: Int64
    var lastPosition: Int64
    /// The id of the event at `lastPosition`: the next export compares it with the log before it goes on.
    var lastEventID: String?
    /// Rows in all files of the commit.
    var count: Int64
    /// The SHA-256 of the bytes of the commit before this one.
    var previousSHA256: String?

    enum CodingKeys: String, CodingKey {
      case count
      case firstPosition = "first_position"
      case lastPosition = "last_position"
      case lastEventID = "last_event_id"
      case previousSHA256 = "previous_sha256"
    }
  }

  struct ProtocolVersion: Codable, Sendable {
    var minReaderVersion: Int
    var minWriterVersion: Int
  }

  struct MetaData: Codable, Sendable {
    var id: String
    var name: String?
    var description: String?
    var format: Format
    var schemaString: String
    var partitionColumns: [String]
    var configuration: [String: String]

    struct Format: Codable, Sendable {
      var provider: String
      var options: [String: String]?
    }
  }

  struct Add: Codable, Sendable {
    /// Relative to the table, with what a URL cannot have escaped.
    var path: String
    var partitionValues: [String: String?]
    var size: Int64
    var modificationTime: Int64
    var dataChange: Bool
    var stats: String?
    var tags: [String: String]?

    static let digestTag = "aisle.sha256"
    static let uncompressedTag = "aisle.uncompressed_bytes"
  }

  struct Remove: Codable, Sendable {
    var path: String
    var dataChange: Bool
  }

  /// How far the application has got: visible together with what the commit adds.
  struct Transaction: Codable, Sendable {
    var appId: String
    var version: Int64
  }
}

extension [DeltaAction] {
  /// One line for each; the same actions give the same bytes.
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try flatMap { try [UInt8](encoder.encode($0)) + [.newline] }
  }

  init(decoding bytes: [UInt8], path: String) throws(LakeError) {
    let decoder = JSONDecoder()
    do {
      self = try bytes.split(separator: .newline).map { try decoder.decode(DeltaAction.self, from: Data($0)) }
    } catch {
      throw .damagedManifest(path: path, reason: "not a Delta commit (\(error))")
    }
  }
}
