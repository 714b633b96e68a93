import Booking
import EventStore
import Services
import Synchronization
import Vocabulary

/// Strategy `read-model-check`, as many real systems do it: look whether the seat is free, then book it.
///
/// Between the look and the booking somebody else can do the same, and the table that it looks into is filled by a
/// subscription a few milliseconds after the fact. So it oversells; a run must say so.
struct ReadModelOffice: BoxOffice {
  private let aisle: Aisle
  private let houses: HouseCatalog
  /// What this process sold; a restart forgets it, which is another reason not to do it this way.
  private let sold = Sold()

  private final class Sold: Sendable {
    let holds = Mutex<[HoldID: DirectSale]>([:])
    let orders = Mutex<[OrderID: (sale: DirectSale, account: AccountID)]>([:])
  }

  init(aisle: Aisle) {
    self.aisle = aisle
    houses = HouseCatalog(store: aisle.store)
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, let wish):
        return try await hold(id, show: show, buyer: buyer, wish: wish)
      case .order(let id, let hold, _, let account): return try await order(id, hold: hold, account: account)
      case .cancel(let id, _): return try await cancel(id)
      default: return .notSupported
      }
    } catch {
      return BuyerAnswer(error)
    }
  }

  private func hold(_ id: HoldID, show: ShowID, buyer: BuyerID, wish: PlannedWish) async throws -> BuyerAnswer
  {
    let house = try await houses.show(show)
    let now = aisle.time.now
    let taken = try await aisle.readModels.takenSeats(of: show, at: now).map(\.seat)
    switch house.choose(wish, taken: Set(taken)) {
    case .refused(let code): return .refused(code)
    case .unavailable(let seats): return .refused("seats-unavailable", seats: seats)
    case .seats(let seats):
      let choice = DirectSale(show: house, hold: id, buyer: buyer, seats: seats)
      // Copies of one request may choose differently; the first choice is the one of them all.
      let sale = sold.holds.withLock { holds in
        if let earlier = holds[id] { return earlier }
        holds[id] = choice
        return choice
      }
      return try await aisle.store.append([try sale.held(at: now)]).answer(seats: sale.seats)
    }
  }

  private func order(_ id: OrderID, hold: HoldID, account: AccountID) async throws -> BuyerAnswer {
    guard let sale = sold.holds.withLock({ $0[hold] }) else {
      return .error("not-found", "there is no hold \(hold)")
    }
    let answer = try await aisle.store.append(try sale.confirmed(id, account: account, at: aisle.time.now))
      .answer(seats: sale.seats)
    if answer.verdict == .done { sold.orders.withLock { $0[id] = (sale, account) } }
    return answer
  }

  private func cancel(_ id: OrderID) async throws -> BuyerAnswer {
    guard let (sale, account) = sold.orders.withLock({ $0[id] }) else {
      return .error("not-found", "there is no order \(id)")
    }
    return try await aisle.store.append(try sale.cancelled(id, account: account, at: aisle.time.now)).answer()
  }
}
