import Services
import Vocabulary

/// Control: what giving back would bring is told, and then the order is cancelled as if there were no fee.
struct QuotesForgottenOffice: BoxOffice {
  let aisle: Aisle

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    guard case .giveBack(let id, let show, let seats, let quote) = request else {
      return await StreamOffice(aisle: aisle).answer(request)
    }
    do throws(ServiceError) {
      let quoted = try await aisle.ordering.quoteCancellation(of: id, seats: seats, as: quote).quote
      var answer = await StreamOffice(aisle: aisle).answer(.cancel(id, show: show))
      answer.seats = quoted?.lines.map(\.seat) ?? []
      answer.refund = quoted?.refund.minorUnits
      return answer
    } catch {
      return BuyerAnswer(error)
    }
  }
}
