/// What a show's mailbox has to do, and how fast it does it.
struct ShowLoad {
  /// Bound of commands that have no answer yet, wherever they are.
  let limit: Int
  private(set) var unanswered = 0
  private var pace = Pace()
  /// When work began, or some were answered last; nil while there is nothing to do.
  private var lastAnswer: ContinuousClock.Instant?

  init(limit: Int) { self.limit = limit }

  /// False if the command has to be refused.
  mutating func admit() -> Bool {
    guard unanswered < limit else { return false }
    unanswered += 1
    return true
  }

  mutating func begin() { lastAnswer = .now }

  mutating func end() { lastAnswer = nil }

  mutating func answered(_ count: Int) {
    unanswered -= count
    let now = ContinuousClock.now
    if let lastAnswer { pace.answered(count, in: now - lastAnswer) }
    lastAnswer = now
  }

  var pressure: ShowPressure {
    ShowPressure(
      waiting: unanswered, limit: limit, perSecond: pace.perSecond,
      retryAfter: pace.seconds(for: unanswered, elapsed: lastAnswer.map { .now - $0 } ?? .zero))
  }
}
