import Services
import Vocabulary

/// A number of people who want the same kind of thing. Groups with the same starting instant act at once.
public struct ActorGroup: Hashable, Sendable {
  /// Names the group's members: `night-owls` are `night-owls-001`, `night-owls-002`, …
  public var name: String
  public var kind: Kind
  public var count: Int
  /// How many of them act at the same moment.
  public var concurrency: Int
  /// Several only for ``Kind/terminals``.
  public var shows: [ShowID]
  /// Dealt out in turn: the first member has the first account, and so on, round and round.
  public var accounts: [AccountID]
  public var wants: SeatWish
  /// When they start, on the scenario's clock.
  public var startsAt: Timestamp
  /// Real time between the answer to one request and the next, drawn for each member.
  public var thinkTime: ClosedRange<Duration> = .zero ... .zero
  public var pays: Payment = .atOnce
  /// Test cards of the sandbox bank, dealt out in turn; on account if there are none.
  public var cards: [SandboxCard] = []
  public var cancels: Cancellation = .never
  /// Taken back by a quote; without one, everything and without a fee.
  public var givesBack: GivesBack? = nil
  /// The share that holds seats and never comes back, in basis points. Of ``Kind/waiters``: that lets an offer lapse.
  public var abandonsBasisPoints = 0
  /// How often each request is sent; more than once means duplicates with the same `Idempotency-Key`.
  public var repeatEachRequest = 1
  /// What ``Kind/shoppers`` do who do not stay; nil for those who do.
  public var givesUp: GivesUp? = nil
  /// When ``Kind/waiters`` look whether seats are offered to them.
  public var looksAt: [Timestamp] = []
  /// What each of ``Kind/terminals`` does so many times.
  public var operations = 0
  /// Of each operation, in basis points that come to 10,000.
  public var mix: [MixedOperation: Int] = [:]
  /// What happens to each payment of ``Kind/interleavings``, in every order.
  public var events: [InterleavedEvent] = []

  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// They hold seats, order, and pay.
    case buyers
    /// They wait for seats of a show that is sold out, and order what is offered to them.
    case waiters
    /// They come by a show's waiting room, over HTTP: take a place, ask until they are let in, hold seats and order.
    case shoppers
    /// They look at the seats over HTTP, again and again, while the others of the same instant act.
    case pollers
    /// Booking desks that do a mix of things, one after the other, on many shows.
    case terminals
    /// One buyer for each order in which a payment, its hold's end and others can come; generated, not sampled.
    case interleavings
  }

  public enum Payment: Hashable, Sendable {
    /// In the same breath as the hold.
    case atOnce
    /// That long after the hold, on the scenario's clock.
    case after(Duration)
    case never
  }

  /// How somebody gives up waiting to be let in.
  public enum GivesUp: String, CaseIterable, Hashable, Sendable {
    /// Tries to hold seats without an admission, looks once more, and gives the place back.
    case leaves
    /// Is not heard of again.
    case vanishes
  }

  public enum Cancellation: Hashable, Sendable {
    case never
    case at(Timestamp)
    /// That long after the group started, on the scenario's clock.
    case after(Duration)
  }

  public enum GivesBack: Hashable, Sendable {
    case all
    /// The first so many seats of the order.
    case seats(Int)
  }
}

/// What a terminal does: the six transactions of the SEATS benchmark (Stonebraker's airline ticketing, in BenchBase).
public enum MixedOperation: String, CaseIterable, Hashable, Sendable, Codable {
  /// Which seats of a flight are free.
  case findOpenSeats = "find-open-seats"
  /// A seat for a new customer.
  case newReservation = "new-reservation"
  /// Another seat for a customer who has one.
  case updateReservation = "update-reservation"
  /// Somebody else goes.
  case updateCustomer = "update-customer"
  /// Which flights there are.
  case findFlights = "find-flights"
  /// A customer gives the seat back.
  case deleteReservation = "delete-reservation"
}

/// What can happen while a payment is under way.
public enum InterleavedEvent: String, CaseIterable, Hashable, Sendable, Codable {
  /// The hold's time is over, and the timer says so.
  case expire
  /// The webhook that the money is there: the first time with effect, then as a duplicate.
  case pay
  /// The webhook, but the process that takes it dies when it has stored the fact.
  case payAndDie = "pay-and-die"
  /// Somebody else wants the seat, and buys it if it is free.
  case other
  case cancel
  /// Another process takes up what it finds.
  case restart
}

/// Which seats somebody asks for.
public enum SeatWish: Hashable, Sendable {
  /// All of these or nothing.
  case named([SeatID])
  /// That many adjacent seats, drawn for each member from the range.
  /// Where they may be split, in groups if need be. `accessible` of them are wheelchair places.
  case best(
    ClosedRange<Int>, section: SectionID?, together: Bool = true, category: CategoryID? = nil,
    accessible: Int = 0)
}
