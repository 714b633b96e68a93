import Vocabulary
import Yams

/// One value of a YAML document, the way to it, and the list that takes its problems.
///
/// Reading does not stop at the first mistake: a method that cannot give a value reports why and returns nil, and
/// its caller goes on with the rest, so that the author of a file sees everything that is wrong with it at once.
struct ValueReader {
  /// Where problems are collected while one file is read; not shared between tasks.
  final class Problems {
    let file: String
    var all: [ScenarioProblem] = []
    init(file: String) { self.file = file }
  }

  let node: Node
  let path: String
  let problems: Problems

  func fail(_ message: String) {
    problems.all.append(
      ScenarioProblem(
        file: problems.file, line: node.mark?.line, column: node.mark?.column, keyPath: path, message: message
      ))
  }

  /// What stands in the file, for messages: short, on one line.
  var shown: String {
    switch node {
    case .scalar(let scalar):
      if scalar.string.isEmpty { return "nothing" }
      let line =
        scalar.string.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
      return "\"" + (line.count > 40 ? line.prefix(40) + "…" : line) + "\""
    case .sequence: return "a list"
    case .mapping: return "a section with keys"
    case .alias: return "an alias"
    }
  }

  /// A text that is not empty.
  func text(_ what: String) -> String? {
    guard let scalar = node.scalar else {
      fail("must be \(what), not \(shown)")
      return nil
    }
    let trimmed = scalar.string.trimmed
    guard !trimmed.isEmpty else {
      fail("is empty; it must be \(what)")
      return nil
    }
    return trimmed
  }

  func number(_ what: String = "a whole number", in range: ClosedRange<Int>) -> Int? {
    guard let scalar = node.scalar, let value = Int(scalar.string.withoutDigitSeparators),
      range.contains(value)
    else {
      fail("must be \(what) from \(range.lowerBound) to \(range.upperBound), not \(shown)")
      return nil
    }
    return value
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    if let scalar = node.scalar, let value = Choice(rawValue: scalar.string) { return value }
    let names = Choice.allCases.map(\.rawValue)
    let hint = node.scalar.flatMap { Suggestion.nearest(to: $0.string, among: names) }
    fail(
      "must be one of \(names.joined(separator: ", ")), not \(shown)"
        + (hint.map { "; did you mean \($0)?" } ?? ""))
    return nil
  }

  /// Reads a text by `parse`; `format` says what is allowed, with an example.
  func parsed<Value>(_ format: String, _ parse: (String) -> Value?) -> Value? {
    guard let scalar = node.scalar, let value = parse(scalar.string.trimmed) else {
      fail("must be \(format), not \(shown)")
      return nil
    }
    return value
  }

  func identifier<Subject>(_ type: Identifier<Subject>.Type = Identifier<Subject>.self) -> Identifier<
    Subject
  >? {
    parsed("an id of 1 to 128 letters, digits and . _ : -") { Identifier<Subject>($0) }
  }

  func instant() -> Timestamp? {
    parsed("an instant with its offset, as in 2026-11-24T19:30:00+01:00") { Timestamp(rfc3339: $0) }
  }

  /// An instant, or `+10m` counted from `start`.
  func instant(countedFrom start: Timestamp) -> Timestamp? {
    parsed("an instant as in 2026-11-24T19:30:00+01:00, or a time after the scenario's start as in +10m") {
      text in
      if text.hasPrefix("+") { return ScenarioText.duration(String(text.dropFirst())).map { start + $0 } }
      return Timestamp(rfc3339: text)
    }
  }

  func duration() -> Duration? {
    parsed("a duration as in 250ms, 90s, 10m, 1h30m or 2d", ScenarioText.duration)
  }

  /// The values of a list; a single value counts as a list of one if `orSingle`.
  func list(of what: String, orSingle: Bool = false, limit: Int = 100) -> [ValueReader] {
    guard let sequence = node.sequence else {
      if orSingle { return [self] }
      fail("must be a list of \(what), not \(shown)")
      return []
    }
    guard !sequence.isEmpty else {
      fail("is an empty list; it must have at least one of \(what)")
      return []
    }
    guard sequence.count <= limit else {
      fail("has \(sequence.count) entries; the limit is \(limit)")
      return []
    }
    return sequence.enumerated().map { index, node in
      ValueReader(node: node, path: "\(path)[\(index)]", problems: problems)
    }
  }

  func section(_ what: String, keys: [String]) -> SectionReader? {
    SectionReader(self, what: what, keys: keys)
  }
}
