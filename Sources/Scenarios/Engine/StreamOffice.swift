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
      case .pay(let id, let hold, _, let account, let card):
        return answer(
          try await aisle.ordering.place(
            id, hold: hold, account: account, paymentMethod: "sandbox:\(card.rawValue)"))
      case .ask(let id, _): return answer(try await aisle.ordering.order(id))
      case .join(let id, let show, let buyer, let wish):
        let receipt = try await aisle.booking.joinWaitingList(id, show: show, buyer: buyer, wish: wish)
        return .done(version: receipt.receipt.version, position: receipt.receipt.position.rawValue)
      case .seeOffer(let id, _):
        let receipt = try await aisle.booking.waiting(id)
        let position = receipt.receipt.position.rawValue
        guard let offer = receipt.offer, receipt.entry.phase == .offered else {
          return .refused(
            receipt.entry.phase == .waiting ? "still-waiting" : "offer-over", position: position)
        }
        return .done(seats: offer.terms.seats, version: receipt.receipt.version, position: position)
      case .giveBack(let id, _, let seats, let quote):
        let quoted = try await aisle.ordering.quoteCancellation(of: id, seats: seats, as: quote)
        let receipt = try await aisle.ordering.confirmCancellation(of: id, quote: quote)
        var done = BuyerAnswer.done(
          seats: quoted.quote?.lines.map(\.seat) ?? [], position: receipt.position.rawValue)
        done.refund = quoted.quote?.refund.minorUnits
        return done
      case .transfer(let id, _, let seat, let holder):
        let receipt = try await aisle.ordering.transfer(seat, of: id, to: holder)
        return .done(seats: [seat], position: receipt.position.rawValue)
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
    case .placed where receipt.payment?.received == nil && receipt.payment != nil:
      var pending = BuyerAnswer.done(position: position)
      pending.isPending = true
      return pending
    case .none, .placed: return .error("order-unfinished", "the order was placed but not seen through")
    }
  }
}
