/// What became of one invariant.
public struct InvariantResult: Hashable, Sendable, Codable {
  /// As in the scenario file, with what it expects: `winners: 12`.
  public var title: String
  public var name: InvariantName
  public var holds: Bool
  /// What was found, with numbers, as one or two sentences.
  public var evidence: String
  /// The judgement from the raw log alone; nil if the log cannot tell (a promise about answers).
  public var fromLog: Finding?
  /// The judgement from the read models alone; nil if they cannot tell.
  public var fromReadModel: Finding?
  /// What a reader needs in order to check the evidence by hand.
  public var details: Details?
  /// When it was first broken, in real microseconds since the run's start, if that is known.
  public var brokenAtMicroseconds: Int64?

  public struct Finding: Hashable, Sendable, Codable {
    public var holds: Bool
    public var evidence: String

    public init(holds: Bool, evidence: String) {
      self.holds = holds
      self.evidence = evidence
    }
  }

  /// A small table; ``omitted`` counts the rows left out.
  public struct Details: Hashable, Sendable, Codable {
    public static let rowLimit = 50
    public var columns: [String]
    public var rows: [[String]]
    public var omitted: Int

    /// Keeps the first fifty rows.
    public init(columns: [String], rows: [[String]]) {
      self.columns = columns
      self.rows = Array(rows.prefix(Self.rowLimit))
      omitted = rows.count - self.rows.count
    }
  }

  /// Holds when every finding holds.
  public init(
    _ invariant: Invariant, evidence: String, fromLog: Finding? = nil, fromReadModel: Finding? = nil,
    holds: Bool? = nil, details: Details? = nil, brokenAtMicroseconds: Int64? = nil
  ) {
    title = invariant.title
    name = invariant.name
    self.evidence = evidence
    self.fromLog = fromLog
    self.fromReadModel = fromReadModel
    let findings = [fromLog, fromReadModel].compactMap(\.self)
    self.holds = (holds ?? !findings.isEmpty) && findings.allSatisfy(\.holds)
    self.details = details
    self.brokenAtMicroseconds = brokenAtMicroseconds
  }

  enum CodingKeys: String, CodingKey {
    case title, name, holds, evidence, details
    case fromLog = "from_log"
    case fromReadModel = "from_read_model"
    case brokenAtMicroseconds = "broken_at_us"
  }
}
