import Vocabulary

/// How many seats each buyer has, held or booked: a hash table with linear probing.
///
/// Like ``HoldIndex`` it holds no names and so no references, which makes a copy one block move. A buyer is known by
/// the number of one of their holds.
struct BuyerBook: Sendable {
  private struct Slot: Sendable {
    var hash: UInt32
    /// ``empty`` when there is none.
    var hold: Int32
    var seats: Int32
  }

  private static let empty: Int32 = -1

  /// A power of two, at most half full.
  private var slots = [Slot](repeating: Slot(hash: 0, hold: empty, seats: 0), count: 16)
  private var count = 0

  /// `buyerOfHold` tells whose a hold is.
  func seats(of buyer: BuyerID, buyer buyerOfHold: (Int32) -> BuyerID) -> Int {
    let slot = slots[position(of: buyer, buyerOfHold)]
    return slot.hold == BuyerBook.empty ? 0 : Int(slot.seats)
  }

  /// - Parameter hold: a hold of the buyer's.
  mutating func add(_ seats: Int, to buyer: BuyerID, hold: Int32, buyer buyerOfHold: (Int32) -> BuyerID) {
    if (count + 1) * 2 > slots.count { grow() }
    let position = position(of: buyer, buyerOfHold)
    if slots[position].hold == BuyerBook.empty {
      slots[position] = Slot(hash: BuyerBook.hash(of: buyer), hold: hold, seats: 0)
      count += 1
    }
    slots[position].seats += Int32(seats)
  }

  private func position(of buyer: BuyerID, _ buyerOfHold: (Int32) -> BuyerID) -> Int {
    let hash = BuyerBook.hash(of: buyer)
    var position = Int(hash) & (slots.count - 1)
    while slots[position].hold != BuyerBook.empty {
      if slots[position].hash == hash, buyerOfHold(slots[position].hold) == buyer { return position }
      position = (position + 1) & (slots.count - 1)
    }
    return position
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(hash: 0, hold: BuyerBook.empty, seats: 0), count: old.count * 2)
    for slot in old where slot.hold != BuyerBook.empty {
      var position = Int(slot.hash) & (slots.count - 1)
      while slots[position].hold != BuyerBook.empty { position = (position + 1) & (slots.count - 1) }
      slots[position] = slot
    }
  }

  private static func hash(of buyer: BuyerID) -> UInt32 {
    UInt32(truncatingIfNeeded: buyer.hashValue)
  }
}
