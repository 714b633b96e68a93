import Vocabulary

/// Finds a hold's number by its id: a hash table with linear probing that is only added to.
///
/// It does what a dictionary does, but holds no ids and so no references: copying it is one block move, where
/// copying a dictionary of 100,000 ids takes milliseconds.
struct HoldIndex: Sendable {
  private struct Slot: Sendable {
    var hash: UInt32
    /// ``empty`` when there is none.
    var number: Int32
  }

  private static let empty: Int32 = -1

  /// A power of two, at most half full.
  private var slots = [Slot](repeating: Slot(hash: 0, number: empty), count: 16)
  private(set) var count = 0

  /// The number that `id` was given last. `idOfNumber` tells which id a number stands for.
  func number(for id: HoldID, id idOfNumber: (Int32) -> HoldID) -> Int32? {
    let hash = HoldIndex.hash(of: id)
    var found: Int32?
    var position = Int(hash) & (slots.count - 1)
    while slots[position].number != HoldIndex.empty {
      let slot = slots[position]
      if slot.hash == hash, idOfNumber(slot.number) == id { found = max(found ?? slot.number, slot.number) }
      position = (position + 1) & (slots.count - 1)
    }
    return found
  }

  /// Gives `id` the next number.
  mutating func append(_ id: HoldID) {
    if (count + 1) * 2 > slots.count { grow() }
    insert(Slot(hash: HoldIndex.hash(of: id), number: Int32(count)))
    count += 1
  }

  private mutating func insert(_ slot: Slot) {
    var position = Int(slot.hash) & (slots.count - 1)
    while slots[position].number != HoldIndex.empty { position = (position + 1) & (slots.count - 1) }
    slots[position] = slot
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(hash: 0, number: HoldIndex.empty), count: old.count * 2)
    for slot in old where slot.number != HoldIndex.empty { insert(slot) }
  }

  private static func hash(of id: HoldID) -> UInt32 {
    UInt32(truncatingIfNeeded: id.hashValue)
  }
}
