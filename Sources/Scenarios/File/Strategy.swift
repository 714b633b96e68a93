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
  /// Notes that money came, and does not think of giving it back when the seats are gone.
  case refundsForgotten = "refunds-forgotten"
  /// Takes seats back for their full price, whatever was quoted.
  case quotesForgotten = "quotes-forgotten"
  /// Sells what is given back to whoever asks first, past those who wait.
  case lineIgnored = "line-ignored"
  /// Offers what is given back to those who came last.
  case lineReversed = "line-reversed"
  /// Sells what the clerk's screen showed as free, without another look.
  case screenTrusted = "screen-trusted"
  /// Shows a version from one moment and the seats of the next.
  case tornViews = "torn-views"
  /// Lets everybody hold seats at once, whether or not they have been let in.
  case doorIgnored = "door-ignored"
  /// Lets in whoever comes.
  case doorWideOpen = "door-wide-open"
  /// Lets in by lot, whoever came first.
  case doorByLot = "door-by-lot"
  /// Tells each thing once, whether or not it arrived.
  case toldOnce = "told-once"
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
    case .refundsForgotten: "keeps money that came too late for the seats; a control"
    case .quotesForgotten: "gives the full price back, whatever was quoted; a control"
    case .lineIgnored: "sells what is given back to whoever asks first; a control"
    case .lineReversed: "offers what is given back to who came last; a control"
    case .screenTrusted: "sells what a screen showed as free, without another look; a control"
    case .tornViews: "shows a version of one moment and the seats of the next; a control"
    case .doorIgnored: "holds seats for who has not been let in; a control"
    case .doorWideOpen: "lets in whoever comes, however many are in; a control"
    case .doorByLot: "lets in by lot, whoever came first; a control"
    case .toldOnce: "tells each thing once, whether or not it arrived; a control"
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
    case .refundsForgotten: "the refund of money that came too late"
    case .quotesForgotten: "the terms of a quote"
    case .lineIgnored: "the waiting list"
    case .lineReversed: "the order of the waiting list"
    case .screenTrusted: "a look at the seat when it is sold"
    case .tornViews: "one statement for a version and its seats"
    case .doorIgnored: "a look at the admission when seats are held"
    case .doorWideOpen: "the limit of how many are let in"
    case .doorByLot: "the order of the tickets"
    case .toldOnce: "another try for what did not arrive"
    case .utcMonths: "the account's time zone"
    }
  }
}
