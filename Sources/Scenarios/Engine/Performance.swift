import EventStore
import Services
import Vocabulary

/// What happened in a run, before anybody judges it.
struct Performance: Sendable {
  var plan: ScenarioPlan
  var aisle: Aisle
  var recording: Recording
  var exchanges: [Journal.Exchange]
  var strikes: [FaultWatch.Strike]
  /// The log's end when the first buyer came.
  let startPosition: Position
  /// Real time.
  let startedAt: Timestamp
  /// The scenario's clock at the end.
  let simulatedEnd: Timestamp
  /// Appends of the services that met another version than expected.
  let conflicts: Int
  /// What those who looked at the seats were shown.
  var views: [SeatView] = []
  /// What those were told who came by a waiting room.
  var stays: [DoorStay] = []
  /// What those were told who are to be told of orders; nil if nobody is.
  var messages: [Receiver.Message]?
  /// What a bank that keeps its books in memory has kept of each order's money.
  var bank: [OrderID: Int64]?
}
