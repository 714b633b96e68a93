import Billing
import Booking
import Ordering
import Testing
import Vocabulary

/// What the three domain modules have in common, so that their tests read alike.
protocol Decider {
  associatedtype Command
  associatedtype Event: DomainEvent, Equatable
  associatedtype State
  associatedtype Rejection: Error, Equatable

  static var nothingYet: State { get }
  static func decide(_ command: Command, _ state: State, at now: Timestamp) throws(Rejection) -> [Event]
  static func evolve(_ state: inout State, _ event: Event)
}

extension Booking: Decider {
  static var nothingYet: State { State() }
}

extension Ordering: Decider {
  static var nothingYet: State { State() }
}

extension Billing: Decider {
  static var nothingYet: State { State() }
}

extension Decider {
  static func fold(_ events: [Event]) -> State {
    events.reduce(into: nothingYet) { evolve(&$0, $1) }
  }
}

/// `given(Booking.self, past…).when(command, at: now).then(facts…)`
func given<D: Decider>(_: D.Type, _ past: D.Event...) -> Given<D> {
  Given(past: past)
}

struct Given<D: Decider> {
  let past: [D.Event]

  func when(_ command: D.Command, at now: Timestamp = "2026-11-24T12:00:00Z") -> Outcome<D> {
    let state = D.fold(past)
    do throws(D.Rejection) {
      return Outcome(result: .success(try D.decide(command, state, at: now)))
    } catch {
      return Outcome(result: .failure(error))
    }
  }
}

struct Outcome<D: Decider> {
  let result: Result<[D.Event], D.Rejection>

  func then(_ expected: D.Event..., sourceLocation: SourceLocation = #_sourceLocation) {
    switch result {
    case .success(let events): #expect(events == expected, sourceLocation: sourceLocation)
    case .failure(let rejection):
      Issue.record("refused: \(rejection)", sourceLocation: sourceLocation)
    }
  }

  func thenNothingNew(sourceLocation: SourceLocation = #_sourceLocation) {
    then(sourceLocation: sourceLocation)
  }

  func thenRefused(_ expected: D.Rejection, sourceLocation: SourceLocation = #_sourceLocation) {
    switch result {
    case .success(let events):
      Issue.record("not refused, but \(events)", sourceLocation: sourceLocation)
    case .failure(let rejection): #expect(rejection == expected, sourceLocation: sourceLocation)
    }
  }
}
