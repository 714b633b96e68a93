import Ordering
import Services
import Vocabulary

/// Strategy `occ`: the services that users run. The show's stream decides by its expected version.
struct StreamOffice: BoxOffice {
  let aisle: Aisle

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do throws(ServiceError) {
      switch request {
      case .hold(let id, let show, let buyer, let wish):
        let receipt = try await aisle.booking.hold(id, show: show, buyer: buyer, seats: wish.choice)
        return .done(
          seats: receipt.hold.terms.seats, version: receipt.receipt.version,
          position: receipt.receipt.position.rawValue)
      case .order(let id, let hold, _, let account):
        let receipt = try await aisle.ordering.place(id, hold: hold, account: account, paymentMethod: "card")
        return answer(receipt)
      case .cancel(let id, _):
        let receipt = try await aisle.ordering.cancel(id)
        guard case .cancelled = receipt.state else { return .error("not-cancelled", "\(receipt.state)") }
        return .done(position: receipt.position.rawValue)
      }
    } catch {
      return BuyerAnswer(error)
    }
  }

  private func answer(_ receipt: OrderingService.Receipt) -> BuyerAnswer {
    let position = receipt.position.rawValue
    switch receipt.state {
    case .confirmed: return .done(seats: receipt.order.lines.map(\.seat), position: position)
    case .failed(_, let reason): return .refused(reason, position: position)
    case .cancelled: return .refused("order-already-cancelled", position: position)
    case .none, .placed: return .error("order-unfinished", "the order was placed but not seen through")
    }
  }
}
