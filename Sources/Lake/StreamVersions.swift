/// The last version seen of every stream, to prove that each stream's versions are 1, 2, 3….
///
/// This and the bills are all of a check that grows: with the number of streams, not of events, by about
/// 50 bytes each. Names are kept as 128-bit hashes.
struct StreamVersions {
  private struct Key: Hashable {
    let high: Int
    let low: Int

    init(_ name: String) {
      var first = Hasher()
      var second = Hasher()
      second.combine(1 as UInt8)
      first.combine(name)
      second.combine(name)
      high = first.finalize()
      low = second.finalize()
    }
  }

  private var versions: [Key: Int64] = [:]

  /// The streams that were met since events were last missing; nil when none ever were.
  private var metSinceGap: Set<Key>?

  var count: Int { versions.count }

  /// Events are missing here. They may have been of any stream, so each may jump ahead when it is met next.
  mutating func noteGap() { metSinceGap = [] }

  /// Takes note of a stream's next event; returns the version that it should have had, if it has another.
  mutating func mismatch(of stream: String, at version: Int64) -> Int64? {
    let key = Key(stream)
    let expected = (versions[key] ?? 0) + 1
    versions[key] = max(expected - 1, version)
    let mayJump = metSinceGap?.insert(key).inserted ?? false
    return version == expected || mayJump && version > expected ? nil : expected
  }
}
