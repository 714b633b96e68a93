import Booking
import EventStore
import Ordering
import Services
import Synchronization
import Vocabulary

/// What most event-sourced systems do: every request folds (from memory, where it can), decides and appends for itself,
/// and whoever was too late begins again. On a show that everybody wants, nearly all are too late.
final class RetryOffice: BoxOffice {
  private let aisle: Aisle
  private let shows: DeciderRepository<Booking>
  private let orders: DeciderRepository<Ordering>
  private let houses: HouseCatalog
  private let tries = Atomic<Int>(0)
  private let lost = Atomic<Int>(0)

  var appends: Int { tries.load(ordering: .relaxed) }
  var conflicts: Int { lost.load(ordering: .relaxed) }

  init(aisle: Aisle) {
    self.aisle = aisle
    shows = DeciderRepository(store: aisle.store, maximumTries: 100_000)
    orders = DeciderRepository(store: aisle.store)
    houses = HouseCatalog(store: aisle.store)
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, let wish):
        let held = try await decide(
          .hold(Booking.Hold(holdID: id, buyer: buyer, seats: wish.choice)), of: show)
        return .done(
          seats: held.stream.state.hold(id)?.terms.seats ?? [], version: held.stream.version,
          position: held.stream.position.rawValue)
      case .order(let id, let hold, let show, let account):
        let house = try await houses.show(show)
        guard let terms = try await shows.state(of: .show(show)).state.hold(hold)?.terms else {
          return .refused("hold-not-found")
        }
        let place = Ordering.Place(
          orderID: id, showID: show, holdID: hold, accountID: account, buyer: terms.buyer,
          currency: house.currency,
          lines: terms.seats.map { seat in
            Ordering.Line(
              seat: seat, amount: house.plan.price(of: seat) ?? 0,
              taxRateBasisPoints: house.taxRateBasisPoints)
          },
          paymentMethod: "card")
        _ = try await orders.execute(.place(place), on: .order(id), at: aisle.time.now, isNew: true)
        _ = try await decide(.confirm(hold, order: id), of: show)
        let confirmed = try await orders.execute(.confirm, on: .order(id), at: aisle.time.now)
        return .done(seats: terms.seats, position: confirmed.stream.position.rawValue)
      default: return .error("not-supported")
      }
    } catch let rejection as Booking.Rejection {
      return .refused(rejection.code)
    } catch {
      return BuyerAnswer(error)
    }
  }

  private func decide(
    _ command: Booking.Command, of show: ShowID
  ) async throws -> DeciderRepository<Booking>.Outcome {
    let outcome = try await shows.execute(command, on: .show(show), at: aisle.time.now)
    tries.add(outcome.appends, ordering: .relaxed)
    lost.add(outcome.appends - 1, ordering: .relaxed)
    return outcome
  }
}
