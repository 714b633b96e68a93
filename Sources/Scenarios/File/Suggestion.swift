/// "Did you mean …?" for a misspelt key or name.
enum Suggestion {
  /// The candidate within a third of the word's length (at least one, at most three edits), or nil.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    guard word.count <= 64 else { return nil }
    let limit = min(3, max(1, word.count / 3))
    return
      candidates
      .map { (candidate: $0, distance: distance(Array(word), Array($0))) }
      .filter { $0.distance <= limit }
      .min { $0.distance < $1.distance }?
      .candidate
  }

  /// Levenshtein distance, one row at a time.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let substituted = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
