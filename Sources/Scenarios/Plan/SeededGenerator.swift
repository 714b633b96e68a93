/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed on every machine and Swift version.
///
/// The standard library's `random(in:using:)` does not promise which numbers it takes from a generator, so the plan
/// draws through the functions here.
struct SeededGenerator {
  private var state: UInt64

  /// A generator for one subject of a run, so that adding a group does not change what another group does.
  init(seed: UInt64, subject: String) {
    // FNV-1a; Swift's own hash differs from run to run.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in subject.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    state = seed ^ hash
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number from 0 up to but not including `bound`; the bias is below bound / 2^64.
  mutating func below(_ bound: UInt64) -> UInt64 {
    next().multipliedFullWidth(by: bound).high
  }

  mutating func number(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(below(UInt64(range.upperBound - range.lowerBound) + 1))
  }

  mutating func duration(in range: ClosedRange<Duration>) -> Duration {
    let span = (range.upperBound - range.lowerBound).microseconds
    return range.lowerBound + .microseconds(Int64(below(UInt64(max(span, 0)) + 1)))
  }

  /// Fisher-Yates.
  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for index in elements.indices.dropFirst().reversed() {
      elements.swapAt(index, number(in: 0...index))
    }
    return elements
  }
}

extension Duration {
  /// Whole microseconds, rounded toward zero, saturating.
  var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000_000
  }
}
