/// The attempts that the timeline draws, for readers who prefer or need text.
struct AttemptTable {
  let race: Race

  var html: HTML {
    let rows = race.lanes.map { attempt in
      """
      <tr><th scope="row">\(attempt.buyer)</th><td>\(attempt.action.rawValue)</td><td>\(RaceChart.name(attempt))</td>\
      <td>\(Numerals.duration(microseconds: attempt.startMicroseconds))</td>\
      <td>\(Numerals.duration(microseconds: attempt.endMicroseconds - attempt.startMicroseconds))</td></tr>

      """ as HTML
    }
    let summary =
      race.isSampled
      ? "\(Numerals.grouped(race.lanes.count)) of \(Numerals.grouped(race.attempts)) attempts as a table"
      : "All \(Numerals.grouped(race.attempts)) attempts as a table"
    return """
      <details class="attempts"><summary>\(summary)</summary><div class="scroll"><table>
      <thead><tr><th scope="col">buyer</th><th scope="col">action</th><th scope="col">answer</th>\
      <th scope="col">asked at</th><th scope="col">took</th></tr></thead>
      <tbody>\(rows)</tbody></table></div></details>
      """
  }
}
