import Booking
import EventStore
import Services
import Synchronization
import Vocabulary

/// Controls of the waiting list: seats that are given back are sold to whoever asks first, or offered to who came last.
struct LineOffice: BoxOffice {
  private struct Waiter {
    let id: WaitingID
    let buyer: BuyerID
    let wish: Booking.Best
  }

  private final class Books: Sendable {
    let sales = Mutex<[HoldID: DirectSale]>([:])
    let orders = Mutex<[OrderID: (sale: DirectSale, account: AccountID)]>([:])
    let line = Mutex<[ShowID: [Waiter]]>([:])
  }

  private let aisle: Aisle
  private let real: StreamOffice
  private let catalog: HouseCatalog
  private let offersToTheLast: Bool
  private let books = Books()
  /// Sell as if nobody waited.
  private let houses: AlteredHouses

  init(_ aisle: Aisle, offersToTheLast: Bool) {
    self.aisle = aisle
    self.offersToTheLast = offersToTheLast
    real = StreamOffice(aisle: aisle)
    catalog = HouseCatalog(store: aisle.store)
    houses = AlteredHouses { [store = aisle.store] show in
      AlteredHouse(show: show, store: store, alter: { $0.withoutLine })
    }
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, let wish):
        let decided = try await houses[show].decide(
          .hold(Booking.Hold(holdID: id, buyer: buyer, seats: wish.choice)), of: id, at: aisle.time.now)
        let sale = DirectSale(
          show: try await catalog.show(show), hold: id, buyer: buyer, seats: decided.seats)
        books.sales.withLock { $0[id] = sale }
        return .done(seats: decided.seats, version: decided.version, position: decided.position.rawValue)
      case .order(let id, let hold, _, let account):
        let answer = await real.answer(request)
        if answer.verdict == .done, let sale = books.sales.withLock({ $0[hold] }) {
          books.orders.withLock { $0[id] = (sale, account) }
        }
        return answer
      case .cancel(let id, let show):
        guard let (sale, account) = books.orders.withLock({ $0[id] }) else {
          return await real.answer(request)
        }
        let answer = try await aisle.store.append(
          try sale.cancelled(id, account: account, at: aisle.time.now)
        )
        .answer()
        if offersToTheLast { try await offer(show) }
        return answer
      case .join(let id, let show, let buyer, let wish):
        let answer = await real.answer(request)
        if answer.verdict == .done {
          books.line.withLock { $0[show, default: []].append(Waiter(id: id, buyer: buyer, wish: wish)) }
        }
        return answer
      default: return await real.answer(request)
      }
    } catch let rejection as Booking.Rejection {
      return BuyerAnswer(ServiceError.bookingRejected(rejection))
    } catch {
      return BuyerAnswer(error)
    }
  }

  /// From the end of the line to its front, until nothing fits any more.
  private func offer(_ show: ShowID) async throws {
    for waiter in books.line.withLock({ $0[show] ?? [] }).reversed() {
      do {
        _ = try await houses[show].decide(
          .hold(Booking.Hold(holdID: waiter.id.hold, buyer: waiter.buyer, seats: .best(waiter.wish))),
          of: waiter.id.hold, at: aisle.time.now, isOffer: true)
        books.line.withLock { $0[show]?.removeAll { $0.id == waiter.id } }
      } catch is Booking.Rejection {
        continue
      }
    }
  }
}

extension Booking.Event {
  /// Nothing of the line.
  fileprivate var withoutLine: Booking.Event? {
    switch self {
    case .waitingListJoined, .waitingListLeft: nil
    default: self
    }
  }
}
