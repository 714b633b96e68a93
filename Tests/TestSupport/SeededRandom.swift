import Foundation

/// SplitMix64: the same seed gives the same run on every machine.
public struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  /// Prints the seed, so that a failure can be repeated with `AISLE_TEST_SEED=<seed>`.
  public init(for property: String) {
    let given = ProcessInfo.processInfo.environment["AISLE_TEST_SEED"].flatMap(UInt64.init)
    let seed = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("seed \(seed): \(property)")
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// An integer whose size is random too, so that small ones and extremes both turn up.
  public mutating func anyInt64() -> Int64 {
    switch UInt64.random(in: 0..<16, using: &self) {
    case 0: [.min, .max, 0, -1, 1].randomElement(using: &self) ?? 0
    default: Int64(truncatingIfNeeded: next()) >> Int64.random(in: 0..<63, using: &self)
    }
  }
}
