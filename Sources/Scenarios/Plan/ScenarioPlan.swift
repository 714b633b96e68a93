import Booking
import Services
import Vocabulary

/// Who does what, when: a scenario expanded by its seed. The same file, seed and run label give the same plan.
///
/// An engine walks ``steps`` in order. At each it sets the scenario's clock to ``PlannedStep/at``, lets due timers
/// go off, runs all waves of the step at once and waits for them to finish.
public struct ScenarioPlan: Hashable, Sendable {
  public let scenario: ScenarioFile
  public let strategy: Strategy
  public let seed: UInt64
  /// The shows, with the run's label in their ids.
  public let shows: [ShowOnSale]
  /// The accounts, with the run's label in their ids.
  public let accounts: [ScenarioAccount]
  public let buyers: [PlannedBuyer]
  public let steps: [PlannedStep]
  /// Seats that are there for one interleaving each, and so of no interest one by one.
  public let interleavedShows: Set<ShowID>

  /// How many actions all steps have together: the total of a progress bar.
  public var actionCount: Int {
    steps.reduce(0) { $0 + $1.waves.reduce(0) { $0 + $1.actions.count } }
  }
}

/// One person of a group, with everything about them that was drawn by lot.
public struct PlannedBuyer: Hashable, Sendable {
  /// Index in ``ScenarioPlan/buyers``.
  public let index: Int
  public let id: BuyerID
  public let group: String
  public let account: AccountID
  public let show: ShowID
  public let wish: PlannedWish
  /// Chosen beforehand, so that every repeat of a request carries the same ids.
  public let hold: HoldID
  public let order: OrderID
  /// Real time between the answer to one request and the next.
  public let thinkTime: Duration
  /// How often each request is sent, at least 1.
  public let sends: Int
  /// Holds seats and never comes back.
  public let abandons: Bool
  /// Pays by this test card; on account if nil.
  public let card: SandboxCard?
  public let givesBack: ActorGroup.GivesBack?
  /// How this one gives up waiting to be let in, if at all.
  public let givesUp: ActorGroup.GivesUp?
  /// Of who waits in line; an offer is a hold of the same name.
  public let waiting: WaitingID
  /// Of who is a customer at a desk, or the desk itself: the desk's index in ``ScenarioPlan/buyers``.
  public let terminal: Int?
  /// What happens to this one's payment, in this order.
  public let interleaving: [InterleavedEvent]
  /// Which of the scenario's processes serves this person, from 1; nil if there is only the runner's own.
  public let worker: Int?
}

/// The seats that one person asks for, with the number drawn.
public enum PlannedWish: Hashable, Sendable, Codable {
  case named([SeatID])
  case best(Booking.Best)

  static func best(_ count: Int, section: SectionID?, together: Bool = true) -> PlannedWish {
    .best(Booking.Best(count: count, section: section, together: together))
  }

  /// How many seats it comes to.
  public var count: Int {
    switch self {
    case .named(let seats): seats.count
    case .best(let best): best.count
    }
  }
}

/// One instant of the scenario's clock and everything that happens at it.
public struct PlannedStep: Hashable, Sendable {
  public let at: Timestamp
  /// All at once. Empty where the clock only moves on so that timers go off.
  public let waves: [PlannedWave]
  /// Who looks at the seats while the waves run.
  public var pollers: [PlannedPoller] = []
  /// Shows that are called off at this instant.
  public var calledOff: [ShowID] = []
}

/// Somebody who looks at the seats of a show again and again.
public struct PlannedPoller: Hashable, Sendable {
  public let name: String
  public let show: ShowID
  /// Real time between an answer and the next look.
  public let pause: Duration
}

/// The actions of one group at one instant.
public struct PlannedWave: Hashable, Sendable {
  public let group: String
  /// How many of the actions run at the same moment; the others follow as these finish.
  public let concurrency: Int
  public let actions: [PlannedAction]
}

public struct PlannedAction: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Hashable, Sendable, Codable {
    /// Hold seats, order and pay in one go.
    case buy
    /// Hold seats only.
    case hold
    /// Order and pay for what was held before.
    case pay
    case cancel
    /// Take seats back by a quote.
    case giveBack = "give-back"
    /// Ask what became of a payment that was open.
    case ask
    /// Join the waiting list.
    case join
    /// Look whether seats are offered, and order them.
    case look
    /// Come by a waiting room, and buy once let in.
    case shop
    /// Everything that happens around one payment.
    case interleave
    // At a terminal.
    case findOpenSeats = "find-open-seats"
    case newReservation = "new-reservation"
    case updateReservation = "update-reservation"
    case updateCustomer = "update-customer"
    case findFlights = "find-flights"
    case deleteReservation = "delete-reservation"

    init(_ operation: MixedOperation) {
      self =
        switch operation {
        case .findOpenSeats: .findOpenSeats
        case .newReservation: .newReservation
        case .updateReservation: .updateReservation
        case .updateCustomer: .updateCustomer
        case .findFlights: .findFlights
        case .deleteReservation: .deleteReservation
        }
    }
  }

  public let kind: Kind
  /// Index in ``ScenarioPlan/buyers``.
  public let buyer: Int
}
