/// One mistake in a scenario file: where it is, what is wrong, and what would be right.
///
/// Prints as `scenarios/last-seat.yaml:31:5: actors[0].count: must be …`, the form that editors turn into a link.
public struct ScenarioProblem: Hashable, Sendable, Codable, CustomStringConvertible {
  public let file: String
  /// 1-based; nil when the mistake has no place of its own (an empty file, a file that cannot be opened).
  public let line: Int?
  public let column: Int?
  /// For example `shows[0].sections[1].price`; empty for the file as a whole.
  public let keyPath: String
  /// What is wrong and what is allowed, as one sentence without a full stop.
  public let message: String

  public init(file: String, line: Int? = nil, column: Int? = nil, keyPath: String = "", message: String) {
    self.file = file
    self.line = line
    self.column = column
    self.keyPath = keyPath
    self.message = message
  }

  public var description: String {
    var place = file
    if let line { place += ":\(line)" }
    if line != nil, let column { place += ":\(column)" }
    return place + ": " + (keyPath.isEmpty ? "" : keyPath + ": ") + message
  }

  enum CodingKeys: String, CodingKey {
    case file, line, column, message
    case keyPath = "key_path"
  }
}

/// A scenario file that cannot be run, with everything that is wrong with it (not only the first mistake).
public struct ScenarioFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let problems: [ScenarioProblem]

  public init(problems: [ScenarioProblem]) {
    self.problems = problems
  }

  public var description: String {
    problems.map(\.description).joined(separator: "\n")
  }
}
