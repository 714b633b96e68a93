import Services
import Vocabulary

extension Strategy {
  /// The terms under which a show's waiting room is opened: the file's, but in two controls.
  func terms(_ terms: WaitingRoom.Terms) -> WaitingRoom.Terms {
    var terms = terms
    switch self {
    case .doorWideOpen: terms.shoppers = WaitingRoom.Terms.shoppers.upperBound
    // Lots are drawn among those who came until then. The room's clock is the database's, on this machine.
    case .doorByLot: terms.opensAt = TimeSource.system.now + .seconds(3)
    default: break
    }
    return terms
  }
}
