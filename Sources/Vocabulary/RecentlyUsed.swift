/// A dictionary of bounded size: a new key takes the place of the one that was used longest ago. Every operation takes
/// the same time, however many keys there are.
package struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Node {
    var key: Key
    var value: Value
    /// Used after this one, and before.
    var newer: Int?
    var older: Int?
  }

  package let capacity: Int
  private var places: [Key: Int] = [:]
  private var nodes: [Node] = []
  private var newest: Int?
  private var oldest: Int?

  package init(capacity: Int) { self.capacity = max(1, capacity) }

  package var count: Int { nodes.count }

  /// Changes the value of a key, which is then the newest.
  package mutating func update<Result>(
    _ key: Key, default absent: @autoclosure () -> Value, _ change: (inout Value) -> Result
  ) -> Result {
    let index = places[key] ?? insert(key, absent())
    renew(index)
    return change(&nodes[index].value)
  }

  /// The value of a key, which is then the newest.
  package mutating func value(of key: Key) -> Value? {
    guard let index = places[key] else { return nil }
    renew(index)
    return nodes[index].value
  }

  package mutating func remove(_ key: Key) {
    guard let index = places.removeValue(forKey: key) else { return }
    unlink(index)
    // The last node takes the free place.
    let moved = nodes.removeLast()
    guard index < nodes.count else { return }
    nodes[index] = moved
    places[moved.key] = index
    if let newer = moved.newer { nodes[newer].older = index } else { newest = index }
    if let older = moved.older { nodes[older].newer = index } else { oldest = index }
  }

  private mutating func renew(_ index: Int) {
    guard newest != index else { return }
    unlink(index)
    link(index)
  }

  private mutating func insert(_ key: Key, _ value: Value) -> Int {
    let node = Node(key: key, value: value)
    let index: Int
    if nodes.count >= capacity, let last = oldest {
      unlink(last)
      places[nodes[last].key] = nil
      nodes[last] = node
      index = last
    } else {
      nodes.append(node)
      index = nodes.count - 1
    }
    places[key] = index
    link(index)
    return index
  }

  private mutating func link(_ index: Int) {
    nodes[index].older = newest
    nodes[index].newer = nil
    if let newest { nodes[newest].newer = index }
    newest = index
    if oldest == nil { oldest = index }
  }

  private mutating func unlink(_ index: Int) {
    let (newer, older) = (nodes[index].newer, nodes[index].older)
    if let newer { nodes[newer].older = older } else { newest = older }
    if let older { nodes[older].newer = newer } else { oldest = newer }
  }
}
