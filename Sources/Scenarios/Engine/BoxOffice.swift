import Booking
import Services
import Vocabulary

/// Where buyers ask: one of the strategies, in this process or in another.
protocol BoxOffice: Sendable {
  /// Answers a request. A repeat with the same ids is answered like the first.
  func answer(_ request: BuyerRequest) async -> BuyerAnswer
}

/// What a buyer asks. It carries all ids, so that it can be sent again.
enum BuyerRequest: Hashable, Sendable, Codable {
  case hold(HoldID, show: ShowID, buyer: BuyerID, wish: PlannedWish)
  case order(OrderID, hold: HoldID, show: ShowID, account: AccountID)
  case cancel(OrderID, show: ShowID)
  /// Like `order`, paid by a card of the sandbox bank; the answer may still be open.
  case pay(OrderID, hold: HoldID, show: ShowID, account: AccountID, card: SandboxCard)
  /// What became of an order.
  case ask(OrderID, show: ShowID)
  /// Waits for seats of a show that has none.
  case join(WaitingID, show: ShowID, buyer: BuyerID, wish: Booking.Best)
  /// Whether seats are offered.
  case seeOffer(WaitingID, show: ShowID)
  /// Asks what giving seats back would bring, and does it: the one and then the other. All seats for nil.
  case giveBack(OrderID, show: ShowID, seats: [SeatID]?, quote: QuoteID)
  case transfer(OrderID, show: ShowID, seat: SeatID, to: BuyerID)

  var operation: RunRecorder.Operation {
    switch self {
    case .hold: .hold
    case .order, .pay: .order
    case .cancel: .cancel
    case .ask: .ask
    case .join: .join
    case .seeOffer: .seeOffer
    case .giveBack: .giveBack
    case .transfer: .transfer
    }
  }
}

/// What a buyer was told.
struct BuyerAnswer: Hashable, Sendable, Codable {
  enum Verdict: String, Hashable, Sendable, Codable { case done, refused, error }

  var verdict: Verdict
  /// The code of a refusal or the kind of an error.
  var reason: String?
  /// What the error said.
  var message: String?
  var seats: [SeatID] = []
  /// Version of the show's stream.
  var version: Int64?
  /// A position of the log that the answer already knew.
  var position: Int64 = 0
  /// Whether nobody knows if it took effect, so that asking again with the same ids is the thing to do.
  var isUnknown = false
  /// Whether a payment has no answer yet, and so the order none.
  var isPending = false
  /// What was promised to be given back, in minor units.
  var refund: Int64?

  /// By who does only what is compared.
  static let notSupported = BuyerAnswer.error(
    "not-supported",
    "this strategy only sells and takes back seats; run the scenario with occ or its controls")

  static func done(seats: [SeatID] = [], version: Int64? = nil, position: Int64) -> BuyerAnswer {
    BuyerAnswer(verdict: .done, seats: seats, version: version, position: position)
  }

  /// - Parameter seats: the ones that others have.
  static func refused(_ code: String, seats: [SeatID] = [], position: Int64 = 0) -> BuyerAnswer {
    BuyerAnswer(verdict: .refused, reason: code, seats: seats, position: position)
  }

  static func error(_ kind: String, _ message: String? = nil, isUnknown: Bool = false) -> BuyerAnswer {
    BuyerAnswer(verdict: .error, reason: kind, message: message, isUnknown: isUnknown)
  }

  /// The process that should have answered is gone.
  static let lost = BuyerAnswer.error(
    "connection-lost", "the process ended before it answered", isUnknown: true)

  /// What the buyer sees of it: a repeat must show the same.
  var visible: [String] {
    [verdict.rawValue, reason ?? ""] + (verdict == .done ? seats : []).map(\.rawValue)
  }

  init(
    verdict: Verdict, reason: String? = nil, message: String? = nil, seats: [SeatID] = [],
    version: Int64? = nil,
    position: Int64 = 0, isUnknown: Bool = false
  ) {
    self.verdict = verdict
    self.reason = reason
    self.message = message
    self.seats = seats
    self.version = version
    self.position = position
    self.isUnknown = isUnknown
  }

  init(_ error: ServiceError) {
    switch error {
    case .bookingRejected(.seatsUnavailable(let conflicts)):
      self = .refused("seats-unavailable", seats: conflicts.map(\.seat))
    case .bookingRejected(let rejection): self = .refused(rejection.code)
    case .orderRejected(let rejection): self = .refused(rejection.code)
    case .billingRejected(let rejection): self = .error("billing-rejected", "\(rejection)")
    case .invalid(let reason): self = .error("invalid", reason)
    case .notFound(let kind, let id): self = .error("not-found", "there is no \(kind) \(id)")
    case .overloaded(let reason): self = .error("overloaded", reason)
    case .unavailable(let reason): self = .error("unavailable", reason)
    case .unreadable(let reason): self = .error("unreadable", reason)
    case .outcomeUnknown(let reason): self = .error("outcome-unknown", reason, isUnknown: true)
    }
  }
}

extension PlannedWish {
  var choice: Booking.SeatChoice {
    switch self {
    case .named(let seats): .named(seats)
    case .best(let best): .best(best)
    }
  }
}

extension Strategy {
  func office(_ aisle: Aisle) -> any BoxOffice {
    switch self {
    case .occ: StreamOffice(aisle: aisle)
    case .readModelCheck: ReadModelOffice(aisle: aisle)
    case .rowLock: RowLockOffice(aisle: aisle)
    case .utcMonths, .refundsForgotten, .tornViews, .toldOnce, .doorIgnored, .doorWideOpen, .doorByLot:
      StreamOffice(aisle: aisle)
    case .quotesForgotten: QuotesForgottenOffice(aisle: aisle)
    case .lineIgnored: LineOffice(aisle, offersToTheLast: false)
    case .lineReversed: LineOffice(aisle, offersToTheLast: true)
    case .anyVersion: AlteredOffice(aisle, expectsVersion: false) { $0 }
    case .screenTrusted: AlteredOffice(aisle) { $0.onlyTheHouse }
    case .orphansIgnored: AlteredOffice(aisle) { $0.withoutOrphanRule }
    case .expiryIgnored: AlteredOffice(aisle) { $0.withoutEnd }
    case .kindsIgnored: KindsIgnoredOffice(aisle: aisle)
    case .pickThenHold: PickThenHoldOffice(aisle: aisle)
    case .lateConfirm: LateConfirmOffice(aisle: aisle)
    case .newIDs: NewIDsOffice(aisle: aisle)
    case .answerFirst: AnswerFirstOffice(aisle: aisle)
    }
  }

  /// Whether the timers of holds and orders run.
  var isTimed: Bool {
    switch self {
    case .occ, .utcMonths, .tornViews, .toldOnce, .quotesForgotten, .doorIgnored, .doorWideOpen, .doorByLot:
      true
    default: false
    }
  }

  /// What runs beside the requests. The timers of holds and orders belong to the services, whose place the other
  /// strategies take; those let a hold's end take effect when somebody wants its seats.
  var roles: Set<Aisle.Role> {
    isTimed ? [.booking, .ordering, .billing] : [.booking, .billing]
  }
}
