extension SeatPlan {
  /// What an examination of a plan found.
  public struct Report: Sendable, Hashable {
    /// In the order of the plan, at most ``maximumIssues`` of them.
    public private(set) var issues: [Issue] = []
    /// Found, but not listed.
    public private(set) var omitted = 0
    private var errors = 0

    /// More say nothing new.
    public static let maximumIssues = 1_000

    public init() {}

    /// Whether the plan can be put on sale.
    public var isValid: Bool { errors == 0 }

    public mutating func add(_ severity: Severity, _ place: String, _ message: String) {
      if severity == .error { errors += 1 }
      guard issues.count < Report.maximumIssues else {
        omitted += 1
        return
      }
      issues.append(Issue(severity: severity, place: place, message: message))
    }

    var problems: [String] { issues.filter { $0.severity == .error }.map(\.message) }
  }

  /// One thing about a plan that has to be mended, or should be looked at.
  public struct Issue: Sendable, Hashable, Codable {
    public let severity: Severity
    /// A JSON Pointer (RFC 6901) into the plan, such as `/sections/0/rows/3`.
    public let place: String
    /// What is wrong and what to do.
    public let message: String

    public init(severity: Severity, place: String, message: String) {
      self.severity = severity
      self.place = place
      self.message = message
    }
  }

  public enum Severity: String, Sendable, Hashable, Codable {
    /// The plan cannot be used.
    case error
    /// The plan can be used, but perhaps it is not what was meant.
    case warning
  }
}
