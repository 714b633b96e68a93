import Booking
import EventStore
import Services
import Synchronization
import Vocabulary

/// Control: who holds seats may pay whenever they like. The booking is written without a look at the hold's end.
struct LateConfirmOffice: BoxOffice {
  private let aisle: Aisle
  private let real: StreamOffice
  private let houses: HouseCatalog
  private let held = Held()

  private final class Held: Sendable {
    let sales = Mutex<[HoldID: DirectSale]>([:])
  }

  init(aisle: Aisle) {
    self.aisle = aisle
    real = StreamOffice(aisle: aisle)
    houses = HouseCatalog(store: aisle.store)
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, _):
        let answer = await real.answer(request)
        guard answer.verdict == .done else { return answer }
        let sale = DirectSale(show: try await houses.show(show), hold: id, buyer: buyer, seats: answer.seats)
        held.sales.withLock { $0[id] = sale }
        return answer
      case .order(let order, let hold, _, let account):
        guard let sale = held.sales.withLock({ $0[hold] }) else {
          return .error("not-found", "there is no hold \(hold)")
        }
        let confirmed = try sale.confirmed(order, account: account, at: aisle.time.now)
        return try await aisle.store.append(confirmed).answer(seats: sale.seats)
      default: return await real.answer(request)
      }
    } catch {
      return BuyerAnswer(error)
    }
  }
}
