/// What may be demanded of a run, by the name used in scenario files and reports.
///
/// Each is judged from the raw log, and where it can be, a second time from the read models; it holds when both
/// agree that it does.
public enum InvariantName: String, CaseIterable, Hashable, Sendable, Codable {
  // Seats.
  case noSeatBookedTwice = "no-seat-booked-twice"
  case allSeatsSold = "all-seats-sold"
  case seatsSold = "seats-sold"
  case noSeatLeftHeld = "no-seat-left-held"
  case seatsAreAsWished = "seats-are-as-wished"
  case noForbiddenOrphans = "no-forbidden-orphans"
  case noRefusalWhileSeatsFree = "no-refusal-while-seats-free"
  case seatsLinearizable = "seats-linearizable"
  case expiredHoldsSoldNothing = "expired-holds-sold-nothing"
  // Answers.
  case exactlyOneWinner = "exactly-one-winner"
  case winners
  case everyOtherBuyerRefusedCleanly = "every-other-buyer-refused-cleanly"
  case latePayersRefused = "late-payers-refused"
  case repeatsAnsweredAlike = "repeats-answered-alike"
  case noUnexpectedErrors = "no-unexpected-errors"
  case acknowledgedIsInTheLog = "acknowledged-is-in-the-log"
  case everyFaultHappened = "every-fault-happened"
  // Orders and money.
  case everyBookedSeatHasOneConfirmedOrder = "every-booked-seat-has-one-confirmed-order"
  case everyConfirmedOrderIsBilledOnce = "every-confirmed-order-is-billed-once"
  case billsEqualBatch = "bills-equal-batch"
  case postingsBalance = "postings-balance"
  case chargeInMonth = "charge-in-month"
  case refundInMonth = "refund-in-month"
  case noMoneyWithoutASeat = "no-money-without-a-seat"
  case refundsAreComplete = "refunds-are-complete"
  case everyInterleavingEndsRight = "every-interleaving-ends-right"
  // The line, the door, and who looks or is told.
  case waitingListInOrder = "waiting-list-in-order"
  case neverMoreInsideThanAllowed = "never-more-inside-than-allowed"
  case doorInOrder = "door-in-order"
  case nobodySneaksIn = "nobody-sneaks-in"
  case viewsEqualLogAtTheirVersion = "views-equal-log-at-their-version"
  case viewsNeverGoBack = "views-never-go-back"
  case everyNotificationArrives = "every-notification-arrives"
  // The log.
  case positionsGapless = "positions-gapless"
  case streamVersionsContiguous = "stream-versions-contiguous"
  case readModelEqualsLog = "read-model-equals-log"

  /// What holds, in one sentence for the reader of a report.
  public var statement: String {
    switch self {
    case .noSeatBookedTwice: "No seat is booked by two holds at the same time."
    case .allSeatsSold: "At the end every seat of every show is sold."
    case .seatsSold: "Exactly the stated number of seats was sold in this run."
    case .noSeatLeftHeld: "At the end no seat is under a hold: each is sold or free."
    case .seatsAreAsWished:
      "Whoever left the choice to the system got as many seats as they asked for, side by side, of that section and kind."
    case .noForbiddenOrphans:
      "Where a show forbids it, nobody left a single free seat behind between seats that are taken."
    case .noRefusalWhileSeatsFree:
      "Nobody was refused for lack of seats while seats that would have served them were free."
    case .seatsLinearizable:
      "What buyers were told about each seat can be true: one order of events, within the time they waited, explains it."
    case .expiredHoldsSoldNothing: "No hold was confirmed at or after the instant at which it expired."
    case .exactlyOneWinner: "Exactly one buyer got what they asked for."
    case .winners: "Exactly the stated number of buyers got what they asked for."
    case .everyOtherBuyerRefusedCleanly:
      "Every buyer who got no seat was told so, with a reason, and has neither a seat nor a charge."
    case .latePayersRefused:
      "Everybody who paid after their hold had expired was refused with `hold-expired`."
    case .repeatsAnsweredAlike:
      "Each repeat of a request was answered like the first one, and the log has its effect once."
    case .noUnexpectedErrors: "No request ended in anything but a success or a refusal with a reason."
    case .acknowledgedIsInTheLog: "Everything that a buyer was told had happened is in the log."
    case .everyFaultHappened: "Each fault that the scenario asks for did strike, so the run proves something."
    case .everyBookedSeatHasOneConfirmedOrder: "Each booked seat is a line of exactly one confirmed order."
    case .everyConfirmedOrderIsBilledOnce: "Each confirmed order has exactly one charge, with the same total."
    case .billsEqualBatch:
      "The pre-aggregated monthly bills equal the same months folded straight from the log, to the cent."
    case .postingsBalance: "The postings of every charge and refund sum to zero."
    case .chargeInMonth: "The account was charged the stated amount in the stated month."
    case .refundInMonth: "The account was refunded the stated amount in the stated month."
    case .noMoneyWithoutASeat:
      "Of every order that a bank was asked to pay, the bank has kept what the seats are worth, or nothing."
    case .refundsAreComplete:
      "What was given back for seats is what was promised: a quote's sum, and everything for a show that was called off."
    case .everyInterleavingEndsRight:
      "In whatever order things happened around a payment, it ended with the seat and its price, or with neither."
    case .waitingListInOrder:
      "Seats went to those who waited in the order of the line, and to nobody else while somebody waited whom they fitted."
    case .neverMoreInsideThanAllowed:
      "Never were more buyers inside at once than the waiting room may let in."
    case .doorInOrder: "Nobody was let in before somebody who had joined earlier and was still waiting."
    case .nobodySneaksIn: "Every hold was made by a buyer who had been let in before they asked for it."
    case .viewsEqualLogAtTheirVersion:
      "Everybody who looked saw the seats as the log had them at that version."
    case .viewsNeverGoBack: "Nobody was shown an older state of a show than anybody had been shown before."
    case .everyNotificationArrives:
      "Whoever is to be told of orders was told each thing, signed, though not every delivery arrived."
    case .positionsGapless: "The log's positions run from first to last with none missing and none twice."
    case .streamVersionsContiguous: "The versions of each stream are 1, 2, 3, … in the order of positions."
    case .readModelEqualsLog: "The read models equal what a fresh fold of the whole log gives."
    }
  }

  /// What follows the name in a scenario file, or nil if nothing does.
  public var parameterFormat: String? {
    switch self {
    case .winners, .seatsSold: "a whole number, as in `\(rawValue): 12`"
    case .chargeInMonth, .refundInMonth:
      "`\(rawValue): {account: ID, month: 2026-11, amount: 90.00 EUR}`"
    default: nil
    }
  }
}
