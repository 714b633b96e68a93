import Synchronization

/// What answers about bills were made from in this process.
public final class BillingMetrics: Sendable {
  /// Why an answer came from the log although the tables were allowed.
  public enum Fallback: String, Sendable, Hashable, CaseIterable {
    /// More orders than allowed are not in the tables yet.
    case behind
    /// The subscription that fills them has failed.
    case failed
    /// They are being filled anew.
    case rebuilding
    /// They were found not to be what the log says, or not what an invoice says.
    case checksum
  }

  public struct Counts: Sendable {
    public var answers: [Bill.Source: Int] = [:]
    public var fallbacks: [Fallback: Int] = [:]
  }

  private let state = Mutex(Counts())

  public var counts: Counts { state.withLock { $0 } }

  func answered(from source: Bill.Source, because fallback: Fallback?) {
    state.withLock { counts in
      counts.answers[source, default: 0] += 1
      if let fallback { counts.fallbacks[fallback, default: 0] += 1 }
    }
  }
}
