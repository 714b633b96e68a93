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

  var count: Int { versions.count }

  /// The version that the stream's next event has to have.
  mutating func expected(of stream: String, advancingTo version: Int64) -> Int64 {
    let key = Key(stream)
    let expected = (versions[key] ?? 0) + 1
    versions[key] = max(expected - 1, version)
    return expected
  }
}
