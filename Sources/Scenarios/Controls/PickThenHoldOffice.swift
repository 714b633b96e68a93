import Booking
import Services
import Vocabulary

/// Control: the best seats are picked in a read model and then asked for by name. Nothing is sold twice, for the services
/// see to that; but everybody picks the same seats, and all but one are refused while others are free.
struct PickThenHoldOffice: BoxOffice {
  private let aisle: Aisle
  private let real: StreamOffice
  private let houses: HouseCatalog

  init(aisle: Aisle) {
    self.aisle = aisle
    real = StreamOffice(aisle: aisle)
    houses = HouseCatalog(store: aisle.store)
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    guard case .hold(let id, let show, let buyer, let wish) = request else {
      return await real.answer(request)
    }
    do {
      let house = try await houses.show(show)
      let taken = try await aisle.readModels.takenSeats(of: show, at: aisle.time.now).map(\.seat)
      switch house.choose(wish, taken: Set(taken)) {
      case .refused(let code): return .refused(code)
      case .unavailable(let seats): return .refused("seats-unavailable", seats: seats)
      case .seats(let seats):
        return await real.answer(.hold(id, show: show, buyer: buyer, wish: .named(seats)))
      }
    } catch {
      return BuyerAnswer(error)
    }
  }
}
