/// A set of seats by their indices, one bit each.
struct SeatSet: Sendable, Hashable {
  private(set) var words: [UInt64] = []
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  func contains(_ seat: Int) -> Bool {
    seat / 64 < words.count && words[seat / 64] & (1 << UInt64(seat % 64)) != 0
  }

  mutating func insert(_ seat: Int) {
    while words.count <= seat / 64 { words.append(0) }
    let bit: UInt64 = 1 << UInt64(seat % 64)
    if words[seat / 64] & bit == 0 { count += 1 }
    words[seat / 64] |= bit
  }

  mutating func remove(_ seat: Int) {
    guard contains(seat) else { return }
    words[seat / 64] &= ~(1 << UInt64(seat % 64))
    count -= 1
  }
}
