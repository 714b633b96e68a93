/// The attempts of a run in time: an aggregate of all of them, and a bounded number one by one.
public struct Race: Hashable, Sendable, Codable {
  /// More than this and a picture with a lane for each can no longer be read (or opened on a phone).
  public static let laneLimit = 300
  static let binCount = 60

  /// How many attempts there were.
  public var attempts: Int
  /// In the order in which they began; all of them, or a sample that keeps every error, the first and the last
  /// winner and the first refusal, and draws evenly from the others.
  public var lanes: [Attempt]
  /// Answers over time, of all attempts.
  public var bins: [Bin]

  public var isSampled: Bool { lanes.count < attempts }

  /// The answers given in one stretch of real time.
  public struct Bin: Hashable, Sendable, Codable {
    public var from: Int64
    public var to: Int64
    public var won: Int
    /// Held or cancelled.
    public var other: Int
    public var refused: Int
    public var error: Int

    public var total: Int { won + other + refused + error }

    enum CodingKeys: String, CodingKey {
      case won, other, refused, error
      case from = "from_us"
      case to = "to_us"
    }
  }

  public init(_ attempts: [Attempt]) {
    self.attempts = attempts.count
    lanes = Self.sample(
      attempts.sorted { ($0.startMicroseconds, $0.buyer) < ($1.startMicroseconds, $1.buyer) })
    bins = Self.bins(attempts)
  }

  private static func sample(_ attempts: [Attempt]) -> [Attempt] {
    guard attempts.count > laneLimit else { return attempts }
    var kept: Set<Int> = []
    let answers = attempts.indices.sorted { attempts[$0].endMicroseconds < attempts[$1].endMicroseconds }
    let wins = answers.filter { attempts[$0].outcome == .won }
    kept.formUnion([wins.first, wins.last].compactMap(\.self))
    kept.formUnion([answers.first { attempts[$0].outcome == .refused }].compactMap(\.self))
    // Errors come before anything else, but even they must not fill more than half of the picture.
    kept.formUnion(answers.filter { attempts[$0].outcome == .error }.prefix(laneLimit / 2))
    let rest = attempts.indices.filter { !kept.contains($0) }
    let wanted = laneLimit - kept.count
    for place in 0..<wanted { kept.insert(rest[place * rest.count / wanted]) }
    return kept.sorted().map { attempts[$0] }
  }

  private static func bins(_ attempts: [Attempt]) -> [Bin] {
    guard let first = attempts.map(\.startMicroseconds).min(),
      let last = attempts.map(\.endMicroseconds).max()
    else { return [] }
    let width = max(1, (last - first) / Int64(binCount) + 1)
    let count = Int((last - first) / width) + 1
    var bins = (0..<count).map { index in
      let from = first + Int64(index) * width
      return Bin(from: from, to: from + width, won: 0, other: 0, refused: 0, error: 0)
    }
    for attempt in attempts {
      let index = Int((attempt.endMicroseconds - first) / width)
      switch attempt.outcome {
      case .won: bins[index].won += 1
      case .held, .cancelled, .done: bins[index].other += 1
      case .refused: bins[index].refused += 1
      case .error: bins[index].error += 1
      }
    }
    return bins
  }

  enum CodingKeys: String, CodingKey {
    case attempts, lanes, bins
  }
}
