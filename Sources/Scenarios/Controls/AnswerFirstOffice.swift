import Services
import Synchronization
import Vocabulary

/// Control: the buyer of held seats is told at once that they are booked, and the order is stored a moment later. A
/// process that dies in that moment has told something that never was.
struct AnswerFirstOffice: BoxOffice {
  private static let moment: Duration = .milliseconds(100)

  private let real: StreamOffice
  private let held = Held()

  private final class Held: Sendable {
    let seats = Mutex<[HoldID: [SeatID]]>([:])
  }

  init(aisle: Aisle) { real = StreamOffice(aisle: aisle) }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    switch request {
    case .hold(let id, _, _, _):
      let answer = await real.answer(request)
      if answer.verdict == .done { held.seats.withLock { $0[id] = answer.seats } }
      return answer
    case .order(_, let hold, _, _):
      guard let seats = held.seats.withLock({ $0[hold] }) else { return await real.answer(request) }
      // Nobody waits for it: that is the mistake.
      Task {
        try? await Task.sleep(for: Self.moment)
        _ = await real.answer(request)
      }
      return .done(seats: seats, position: 0)
    default: return await real.answer(request)
    }
  }
}
