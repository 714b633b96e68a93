import Crypto

/// The commits of one table, folded to where it ends.
struct DeltaLog: Sendable {
  /// A file that the table has.
  struct File: Sendable {
    /// Relative to the lake.
    let path: String
    let partition: [String: String]
  }

  /// One commit as it lies on the disk.
  struct Commit: Sendable {
    let version: Int64
    let digest: String
    let actions: [DeltaAction]

    var range: DeltaAction.Range? { actions.lazy.compactMap(\.commitInfo?.aisle).first }
  }

  let layout: LakeLayout
  let table: String
  /// Of the last commit; -1 when there is no table.
  private(set) var version: Int64 = -1
  private(set) var digest: String?
  private(set) var metaData: DeltaAction.MetaData?
  private(set) var lastPosition: Int64 = 0
  private(set) var lastEventID: String?
  /// In the order of their commits.
  private(set) var files: [File] = []
  /// The path of every file that any commit names: it is the table's, even if it was removed since.
  private(set) var named: Set<String> = []

  init(layout: LakeLayout, table: String) {
    self.layout = layout
    self.table = table
  }

  /// By which the table's commits know the export's progress from that of other programs.
  static func application(_ table: String) -> String { "aisle/\(table)" }

  /// Reads the commits that were added since the last call.
  mutating func refresh() throws(LakeError) {
    for version in try Self.versions(layout, table) where version > self.version {
      guard version == self.version + 1 else {
        throw .damagedManifest(
          path: layout.deltaCommit(version, of: table),
          reason: "commit \(self.version + 1) is missing before it")
      }
      try append(try Self.read(version, layout, table))
    }
  }

  /// Takes note of a commit that follows the last one.
  mutating func append(_ commit: Commit) throws(LakeError) {
    for action in commit.actions {
      if let version = action.protocol, version.minReaderVersion > 1 || version.minWriterVersion > 2 {
        throw .unsupportedFormat(
          path: layout.deltaCommit(commit.version, of: table), version: version.minWriterVersion)
      }
      if let metaData = action.metaData { self.metaData = metaData }
      if let add = action.add {
        guard let path = DeltaPath.decoded(add.path) else {
          throw .damagedManifest(
            path: layout.deltaCommit(commit.version, of: table), reason: "\(add.path) is not a path")
        }
        let values = add.partitionValues.compactMapValues { $0 }
        files.append(File(path: "\(table)/\(path)", partition: values))
        named.insert("\(table)/\(path)")
      }
      if let remove = action.remove, let path = DeltaPath.decoded(remove.path) {
        files.removeAll { $0.path == "\(table)/\(path)" }
      }
      if let txn = action.txn, txn.appId == Self.application(table) {
        guard LakeLayout.numbers.contains(txn.version) else {
          throw .damagedManifest(
            path: layout.deltaCommit(commit.version, of: table), reason: "\(txn.version) is not a position")
        }
        lastPosition = txn.version
      }
    }
    if let id = commit.range?.lastEventID { lastEventID = id }
    version = commit.version
    digest = commit.digest
  }

  /// The versions of all commits, in order.
  static func versions(_ layout: LakeLayout, _ table: String) throws(LakeError) -> [Int64] {
    // The digits have a fixed width: the order of the names is the order of the versions.
    try Directory.names(layout.deltaLog(of: table)).compactMap(LakeLayout.deltaVersion).filter {
      $0 < LakeLayout.numbers.upperBound
    }
  }

  static func read(_ version: Int64, _ layout: LakeLayout, _ table: String) throws(LakeError) -> Commit {
    let path = layout.deltaCommit(version, of: table)
    let bytes = try Lake.File.read(path).readAll()
    return Commit(
      version: version, digest: SHA256.hexadecimal(of: bytes),
      actions: try [DeltaAction](decoding: bytes, path: path))
  }
}

/// The paths of files: folders as Hive names them, and the whole as a part of a URL.
enum DeltaPath {
  /// A folder's name has at most 255 bytes; a longer value is found in the commit, not in the path.
  private static let longestValue = 200

  /// `column=value`, with what a path cannot have escaped.
  static func folder(_ column: String, _ value: String) -> String {
    let escaped = escape(value) { isPlain($0) }
    let end = escaped.utf8.count <= longestValue
    return "\(column)=\(end ? escaped : SHA256.hexadecimal(of: Array(value.utf8)))"
  }

  static func encoded(_ path: String) -> String {
    escape(path) { isPlain($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "=") }
  }

  static func decoded(_ path: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(path.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func escape(_ text: String, unless isPlain: (UInt8) -> Bool) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if isPlain(byte) {
        bytes.append(byte)
      } else {
        bytes.append(contentsOf: Array("%\([byte].hexadecimal.uppercased())".utf8))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
