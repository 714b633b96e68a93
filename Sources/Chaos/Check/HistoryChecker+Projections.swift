extension HistoryChecker {
  /// Every sample of a projection is the fold of the log up to its checkpoint. One pass folds for all of them.
  mutating func checkProjections() {
    var fold: [String: Balance] = [:]
    var next = 0
    for (at, process, sample) in samples.sorted(by: { $0.sample.checkpoint < $1.sample.checkpoint }) {
      while next < log.events.count, log.events[next].position <= sample.checkpoint {
        fold[log.events[next].stream, default: Balance()].add(log.events[next].value)
        next += 1
      }
      let who = "\(process) at \(seconds(at)) s saw \(sample.projection) at checkpoint \(sample.checkpoint)"
      if sample.checkpoint > log.last {
        report(.projection, "\(sample.projection) is ahead of the log, which ends at \(log.last)", [who])
      }
      if sample.balances == fold { continue }
      let wrong = Set(fold.keys).union(sample.balances.keys).sorted().filter {
        fold[$0] != sample.balances[$0]
      }
      report(
        .projection,
        "\(sample.projection) is not the fold of the log up to its checkpoint \(sample.checkpoint)",
        [who]
          + wrong.prefix(5).map {
            "\($0): the table has \(Self.text(sample.balances[$0])), the log gives \(Self.text(fold[$0]))"
          })
    }
  }

  private static func text(_ balance: Balance?) -> String {
    balance.map { "\($0.events) events, sum \($0.sum), chain \($0.chain)" } ?? "nothing"
  }
}
