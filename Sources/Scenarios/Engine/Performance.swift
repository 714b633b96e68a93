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
}
