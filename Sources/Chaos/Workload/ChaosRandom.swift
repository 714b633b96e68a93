/// SplitMix64 (Steele, Lea, Flood 2014): the same draws for the same seed on every machine and Swift version.
public struct ChaosRandom: Sendable {
  private var state: UInt64

  /// - Parameter subject: what the numbers are for, so that drawing for one thing does not change another.
  public init(seed: UInt64, subject: String = "") {
    // FNV-1a; Swift's own hash differs from run to run.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in subject.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    state = seed ^ hash
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// The bias is below the range's length / 2^64.
  public mutating func number(in range: ClosedRange<Int>) -> Int {
    range.lowerBound
      + Int(next().multipliedFullWidth(by: UInt64(range.upperBound - range.lowerBound) + 1).high)
  }

  /// True that often in a hundred.
  public mutating func chance(_ percent: Int) -> Bool { number(in: 1...100) <= percent }

  public mutating func element<Element>(of elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[number(in: 0...elements.count - 1)]
  }

  /// Fisher-Yates.
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for index in elements.indices.dropFirst().reversed() { elements.swapAt(index, number(in: 0...index)) }
    return elements
  }
}
