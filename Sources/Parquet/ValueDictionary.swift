import Glibc

/// The different values of a column within a row group, numbered as they come.
struct ValueDictionary {
  /// The values one after the other, as a dictionary page holds them.
  private(set) var page: [UInt8] = []
  private(set) var count = 0
  private let isText: Bool
  private let limit: Int
  /// Where each value begins in `page`, without its length.
  private var starts: [Int] = []
  private var lengths: [Int] = []
  /// Open addressing; 0 is free, else one more than the number of a value. Never more than half full.
  private var slots = [UInt32](repeating: 0, count: 64)

  init(isText: Bool, limit: Int) {
    self.isText = isText
    self.limit = limit
  }

  /// The value's number; nil when it is new and there is no room for it.
  mutating func index(of value: UnsafeRawBufferPointer) -> UInt32? {
    var slot = Self.hash(value) & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot] - 1)
      if lengths[index] == value.count, isEqual(value, at: starts[index]) { return UInt32(index) }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard page.count + value.count + 4 <= limit else { return nil }
    if isText { page.appendLittleEndian(UInt32(value.count)) }
    starts.append(page.count)
    lengths.append(value.count)
    page.append(contentsOf: value)
    count += 1
    slots[slot] = UInt32(count)
    if count * 2 > slots.count { grow() }
    return UInt32(count - 1)
  }

  mutating func removeAll() {
    page.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    slots = [UInt32](repeating: 0, count: 64)
    count = 0
  }

  private func isEqual(_ value: UnsafeRawBufferPointer, at start: Int) -> Bool {
    page.withUnsafeBytes { page in
      guard let known = page.baseAddress, let base = value.baseAddress else { return value.isEmpty }
      return memcmp(known + start, base, value.count) == 0
    }
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for index in 0..<count {
      var slot =
        page.withUnsafeBytes { page in
          Self.hash(UnsafeRawBufferPointer(rebasing: page[starts[index]..<starts[index] + lengths[index]]))
        } & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index + 1)
    }
  }

  /// FNV-1a, finished by a mixing step so that the lowest bits depend on all of it.
  private static func hash(_ value: UnsafeRawBufferPointer) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in value { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash ^= hash >> 32
    return Int(truncatingIfNeeded: hash & 0x7FFF_FFFF)
  }
}
