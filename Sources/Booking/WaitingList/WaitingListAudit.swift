import Vocabulary

/// Proves from a show's events alone that its waiting list was served fairly, or shows where it was not.
///
/// The rule: when seats are offered, everybody further ahead in line was passed over for a reason, and nobody who is not
/// offered seats takes any while somebody waits whom they would fit.
public struct WaitingListAudit: Sendable {
  /// Why somebody was passed over when others behind them were offered seats.
  public enum Reason: String, Sendable, Hashable, Codable {
    /// No free seats were like the wish.
    case nothingFits = "nothing-fits"
    /// With them the buyer would have had more than one may have.
    case buyerLimit = "buyer-limit"
    /// They were forgotten and could not be told.
    case forgotten
  }

  public struct PassedOver: Sendable, Hashable {
    /// The number of the event, from 1, by which seats were offered to somebody behind.
    public let version: Int
    public let who: WaitingID
    public let inFavourOf: WaitingID
    public let reason: Reason
  }

  public struct Violation: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable {
      /// Offered to somebody while the seats, or others, fitted somebody who came earlier.
      case jumpedTheLine = "jumped-the-line"
      /// Taken by somebody else while they fitted somebody who waited.
      case soldPastTheLine = "sold-past-the-line"
      /// An offer to somebody who does not wait, or under another id than theirs.
      case offeredToNobody = "offered-to-nobody"
    }

    public let version: Int
    public let kind: Kind
    /// Who should have been offered seats.
    public let who: WaitingID
  }

  public private(set) var passedOver: [PassedOver] = []
  public private(set) var violations: [Violation] = []
  /// Who was offered seats, in the order of the offers.
  public private(set) var offered: [WaitingID] = []

  /// - Parameter events: of one show, all of them from the first on, or up to any.
  public init(_ events: some Sequence<Booking.Event>) {
    var state = Booking.State()
    for (number, event) in events.enumerated() {
      if case .seatsHeld(let fact) = event { look(at: fact, state, version: number + 1) }
      Booking.evolve(&state, event)
    }
  }

  private mutating func look(at fact: Booking.SeatsHeld, _ state: Booking.State, version: Int) {
    guard let show = state.show else { return }
    guard let id = fact.waitingID else {
      // The first whom seats would fit is named; the others follow from it.
      for number in state.waitingList.line {
        let terms = state.waitingList[number].terms
        if reason(to: terms, in: state, show, at: fact.heldAt) == nil {
          violations.append(Violation(version: version, kind: .soldPastTheLine, who: terms.waitingID))
          return
        }
      }
      return
    }
    offered.append(id)
    guard let place = state.waiting(id)?.ahead, fact.holdID == id.hold,
      state.waiting(id)?.terms.buyer == fact.buyer
    else {
      violations.append(Violation(version: version, kind: .offeredToNobody, who: id))
      return
    }
    for number in state.waitingList.line.prefix(place) {
      let terms = state.waitingList[number].terms
      if let reason = reason(to: terms, in: state, show, at: fact.heldAt) {
        passedOver.append(
          PassedOver(version: version, who: terms.waitingID, inFavourOf: id, reason: reason))
      } else {
        violations.append(Violation(version: version, kind: .jumpedTheLine, who: terms.waitingID))
      }
    }
  }

  /// Why somebody could not be offered seats; nil if they could.
  private func reason(
    to terms: Booking.WaitingListJoined, in state: Booking.State, _ show: Booking.ShowScheduled,
    at instant: Timestamp
  ) -> Reason? {
    if terms.buyer.rawValue == forgottenText { return .forgotten }
    if !Booking.mayBeOffered(terms, in: state, show, at: instant) { return .buyerLimit }
    return Booking.seats(for: terms.wish, in: state, show, at: instant) == nil ? .nothingFits : nil
  }
}
