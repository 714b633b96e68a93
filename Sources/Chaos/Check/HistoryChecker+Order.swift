extension HistoryChecker {
  /// ok(A) before begin(B) ⇒ position(A) < position(B).
  mutating func checkOrder() {
    for reversal in times.reversals {
      let began = (holders[reversal.event.id] ?? []).map { appends[$0].description }
      let seen = (holders[reversal.later.id] ?? []).map { appends[$0].description }
      report(
        .realTime,
        "position \(reversal.later.position) was known at \(seconds(reversal.seen)) s, before the append of "
          + "position \(reversal.event.position) began at \(seconds(reversal.began)) s", began + seen)
    }
  }
}
