/// Every order in which things can happen around a payment: generated, not sampled.
public enum Interleavings {
  /// All orders of all subsets of the events. Of the payments (`pay`, twice if it is there twice, or `pay-and-die`) one
  /// kind at a time, or none.
  public static func all(of events: [InterleavedEvent]) -> [[InterleavedEvent]] {
    let others = events.filter { $0 != .pay && $0 != .payAndDie }
    var payments: Set<[InterleavedEvent]> = [[]]
    for count in 0...events.count(where: { $0 == .pay }) {
      payments.insert(Array(repeating: .pay, count: count))
    }
    if events.contains(.payAndDie) { payments.insert([.payAndDie]) }
    var orders: Set<[InterleavedEvent]> = []
    for mask in 0..<(1 << others.count) {
      let subset = others.indices.filter { mask & (1 << $0) != 0 }.map { others[$0] }
      for payment in payments { orders.formUnion(permutations(subset + payment)) }
    }
    return orders.sorted { $0.map(\.rawValue).lexicographicallyPrecedes($1.map(\.rawValue)) }
  }

  private static func permutations(_ events: [InterleavedEvent]) -> [[InterleavedEvent]] {
    guard let last = events.last else { return [[]] }
    return permutations(events.dropLast()).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [last] + Array(rest[$0...]) }
    }
  }
}
