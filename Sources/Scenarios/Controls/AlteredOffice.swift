import Booking
import EventStore
import Services
import Vocabulary

/// Controls that take seats by a changed decider; all else is done by the services.
struct AlteredOffice: BoxOffice {
  private let aisle: Aisle
  private let real: StreamOffice
  private let houses: AlteredHouses

  init(
    _ aisle: Aisle, expectsVersion: Bool = true, alter: @escaping @Sendable (Booking.Event) -> Booking.Event?
  ) {
    self.aisle = aisle
    real = StreamOffice(aisle: aisle)
    houses = AlteredHouses { [store = aisle.store] show in
      AlteredHouse(show: show, store: store, expectsVersion: expectsVersion, alter: alter)
    }
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    guard case .hold(let id, let show, let buyer, let wish) = request else {
      return await real.answer(request)
    }
    do {
      let decided = try await houses[show].decide(
        .hold(Booking.Hold(holdID: id, buyer: buyer, seats: wish.choice)), of: id, at: aisle.time.now)
      return .done(seats: decided.seats, version: decided.version, position: decided.position.rawValue)
    } catch let rejection as Booking.Rejection {
      return BuyerAnswer(ServiceError.bookingRejected(rejection))
    } catch {
      return BuyerAnswer(error)
    }
  }
}

extension Booking.Event {
  /// The show as it was scheduled, and nothing of what was sold since.
  var onlyTheHouse: Booking.Event? {
    if case .showScheduled = self { self } else { nil }
  }

  /// The show without its rule about seats left alone.
  var withoutOrphanRule: Booking.Event {
    guard case .showScheduled(let fact) = self else { return self }
    var policy = fact.policy
    policy.orphans = .allowed
    return .showScheduled(
      Booking.ShowScheduled(
        showID: fact.showID, title: fact.title, startsAt: fact.startsAt, currency: fact.currency,
        taxRateBasisPoints: fact.taxRateBasisPoints, holdTTLSeconds: fact.holdTTLSeconds, plan: fact.plan,
        policy: policy, scheduledAt: fact.scheduledAt))
  }

  /// A hold that does not end.
  var withoutEnd: Booking.Event {
    guard case .seatsHeld(let fact) = self else { return self }
    return .seatsHeld(
      Booking.SeatsHeld(
        holdID: fact.holdID, buyer: fact.buyer, seats: fact.seats, total: fact.total, heldAt: fact.heldAt,
        expiresAt: fact.heldAt + .seconds(10 * 365 * 86_400), waitingID: fact.waitingID))
  }
}
