import Services
import Synchronization
import Vocabulary

/// Control: nothing tells a copy of a request from a new one, for each gets ids of its own.
struct NewIDsOffice: BoxOffice {
  private let real: StreamOffice
  private let names = Names()

  private final class Names: Sendable {
    let copies = Atomic<Int>(0)
    /// What the latest copy of a hold or an order is called.
    let holds = Mutex<[HoldID: HoldID]>([:])
    let orders = Mutex<[OrderID: OrderID]>([:])

    func next(_ name: String) -> String { "\(name).\(copies.add(1, ordering: .relaxed).newValue)" }
  }

  init(aisle: Aisle) { real = StreamOffice(aisle: aisle) }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    switch request {
    case .hold(let id, let show, let buyer, let wish):
      let copy = HoldID(unchecked: names.next(id.rawValue))
      let answer = await real.answer(.hold(copy, show: show, buyer: buyer, wish: wish))
      if answer.verdict == .done { names.holds.withLock { $0[id] = copy } }
      return answer
    case .order(let id, let hold, let show, let account):
      let copy = OrderID(unchecked: names.next(id.rawValue))
      let held = names.holds.withLock { $0[hold] } ?? hold
      let answer = await real.answer(.order(copy, hold: held, show: show, account: account))
      if answer.verdict == .done { names.orders.withLock { $0[id] = copy } }
      return answer
    case .cancel(let id, let show):
      return await real.answer(.cancel(names.orders.withLock { $0[id] } ?? id, show: show))
    default: return await real.answer(request)
    }
  }
}
