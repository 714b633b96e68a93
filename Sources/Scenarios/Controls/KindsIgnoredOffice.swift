import Booking
import Services
import Vocabulary

/// Control: a seat is a seat. How many somebody wants is heard, of which kind is not.
struct KindsIgnoredOffice: BoxOffice {
  let real: StreamOffice

  init(aisle: Aisle) { real = StreamOffice(aisle: aisle) }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    guard case .hold(let id, let show, let buyer, .best(let best)) = request else {
      return await real.answer(request)
    }
    let wish = PlannedWish.best(Booking.Best(count: best.count, together: best.together))
    return await real.answer(.hold(id, show: show, buyer: buyer, wish: wish))
  }
}
