/// One of the parts of a subscription that can run at the same time: some of the streams, always the same.
struct Partition: Hashable, Sendable {
  let subscription: String
  let index: Int
  let count: Int

  /// What it is called in `aisle.checkpoints`.
  var key: String { count == 1 ? subscription : "\(subscription)/\(index)" }
}

/// A partition's row in `aisle.checkpoints`, as it was read.
struct Checkpoint: Sendable {
  let partition: Partition
  let position: Position
  let epoch: Int64
  /// See ``EventScan/former``.
  let former: [Int64]
  let hasFailed: Bool
  let attempts: Int
}
