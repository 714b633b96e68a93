/// How a seat is claimed.
public enum Strategy: String, CaseIterable, Hashable, Sendable, Codable {
  /// The show's stream decides, by its expected version. The real one.
  case occ
  /// Looks at a read model that lags behind, then books. The control: it must oversell, and the run must say so.
  case readModelCheck = "read-model-check"
  /// `select … for update` on a row per seat, for comparison.
  case rowLock = "row-lock"

  // The others are controls: the real one with a single guard taken out. They live here and nowhere in what users run.

  /// Decides on what the stream says, then appends whatever its version is by then.
  case anyVersion = "any-version"
  /// Picks the best seats in a read model and asks for them by name.
  case pickThenHold = "pick-then-hold"
  /// Chooses seats without the show's rule about seats left alone.
  case orphansIgnored = "orphans-ignored"
  /// Hears how many seats somebody wants, and not of which kind.
  case kindsIgnored = "kinds-ignored"
  /// Never gives the seats of a hold to anybody else, whatever its time is.
  case expiryIgnored = "expiry-ignored"
  /// Books a hold whose time is over.
  case lateConfirm = "late-confirm"
  /// Takes each copy of a request for a new one.
  case newIDs = "new-ids"
  /// Tells the buyer before the order is stored.
  case answerFirst = "answer-first"
  /// Counts months by UTC, wherever the account is.
  case utcMonths = "utc-months"

  public var explanation: String {
    switch self {
    case .occ: "the show's stream decides, by its expected version"
    case .readModelCheck: "looks at a lagging read model, then books; oversells, as a control"
    case .rowLock: "locks a row per seat with select … for update, for comparison"
    case .anyVersion: "decides rightly, but appends at whatever version; a control"
    case .pickThenHold: "picks seats in a read model, then asks for them by name; a control"
    case .orphansIgnored: "chooses seats without the rule about seats left alone; a control"
    case .kindsIgnored: "hears how many seats are wanted, not of which kind; a control"
    case .expiryIgnored: "never gives up a hold whose time is over; a control"
    case .lateConfirm: "books a hold whose time is over; a control"
    case .newIDs: "takes each copy of a request for a new one; a control"
    case .answerFirst: "tells the buyer before the order is stored; a control"
    case .utcMonths: "counts months by UTC, wherever the account is; a control"
    }
  }

  /// Whether a guard is missing, so that something must break.
  public var isControl: Bool { self != .occ && self != .rowLock }

  /// The guard that is missing, for the table of controls.
  public var missingGuard: String {
    switch self {
    case .occ, .rowLock: "none"
    case .readModelCheck: "the stream's decision"
    case .anyVersion: "the expected version of an append"
    case .pickThenHold: "a choice of seats where they are taken"
    case .orphansIgnored: "the rule about seats left alone"
    case .kindsIgnored: "the kinds of seats"
    case .expiryIgnored: "the end of a hold"
    case .lateConfirm: "a look at the hold's end when it is confirmed"
    case .newIDs: "the idempotency key"
    case .answerFirst: "an answer that waits for the commit"
    case .utcMonths: "the account's time zone"
    }
  }
}
