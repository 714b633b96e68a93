import Crypto

/// The append-only list of commits. Its last entry is where the lake ends.
struct ManifestLog {
  let layout: LakeLayout
  private(set) var last: ManifestEntry?
  private(set) var lastDigest: String?
  /// The path of every committed data file.
  private(set) var paths: Set<String> = []

  init(layout: LakeLayout) { self.layout = layout }

  var lastPosition: Int64 { last?.lastPosition ?? 0 }

  /// Reads the entries that were added since the last call, and checks that each continues its predecessor.
  mutating func refresh() throws(LakeError) {
    for number in try Self.numbers(layout) where number > (last?.number ?? 0) {
      let (entry, digest) = try Self.read(number, layout)
      if let reason = Self.contradiction(entry, number: number, after: last, digest: lastDigest) {
        throw .damagedManifest(path: layout.entry(number), reason: reason)
      }
      append(entry, digest: digest)
    }
  }

  /// Takes note of an entry that was just committed as the next one.
  mutating func append(_ entry: ManifestEntry, content: [UInt8]) {
    append(entry, digest: SHA256.hexadecimal(of: content))
  }

  private mutating func append(_ entry: ManifestEntry, digest: String) {
    last = entry
    lastDigest = digest
    for file in entry.files { paths.insert(file.path) }
  }

  /// What `refresh` would refuse, in words, or nil.
  static func contradiction(
    _ entry: ManifestEntry, number: Int64, after previous: ManifestEntry?, digest: String?
  ) -> String? {
    let expected = (previous?.number ?? 0) + 1
    if number != expected { return "entry \(expected) is missing before it" }
    if entry.number != number { return "it says that it is entry \(entry.number)" }
    if entry.previousSHA256 != digest {
      return "it follows an entry with SHA-256 \(entry.previousSHA256 ?? "none"), "
        + "the entry before it has \(digest ?? "none")"
    }
    let first = (previous?.lastPosition ?? 0) + 1
    if entry.firstPosition != first {
      return "it starts at position \(entry.firstPosition), expected \(first)"
    }
    if let previous, entry.tenant != previous.tenant || entry.logID != previous.logID {
      return "it belongs to tenant \(entry.tenant) of log \(entry.logID), "
        + "the entry before it to tenant \(previous.tenant) of log \(previous.logID)"
    }
    return nil
  }

  /// The numbers of all entries, in order.
  static func numbers(_ layout: LakeLayout) throws(LakeError) -> [Int64] {
    // The digits have a fixed width: the order of the names is the order of the numbers.
    try Directory.names(layout.manifest).compactMap(LakeLayout.entryNumber)
  }

  static func read(
    _ number: Int64, _ layout: LakeLayout
  ) throws(LakeError) -> (entry: ManifestEntry, digest: String) {
    let path = layout.entry(number)
    let bytes = try File.read(path).readAll()
    return (try ManifestEntry(decoding: bytes, path: path), SHA256.hexadecimal(of: bytes))
  }
}
