import EventStore
import Vocabulary

/// A decider that is wrong as soon as a state is: nobody spends more than there is.
enum Purse: Decider {
  enum Command: Sendable {
    case put(Int, by: String = "ann")
    case spend(Int)
    /// Its effect is there from the first time on.
    case close
    case reopen
  }

  struct Fact: DomainEvent, Codable, Hashable {
    static let category = "test"
    var change: Int
    var by: String?
    var closes = false
    var reopens = false

    var type: String { "purse-changed" }
    var personalFields: [PersonalField] {
      by.map { [PersonalField("by", of: DataSubject(kind: "buyer", name: $0))] } ?? []
    }

    init(change: Int, by: String? = nil, closes: Bool = false, reopens: Bool = false) {
      self.change = change
      self.by = by
      self.closes = closes
      self.reopens = reopens
    }

    init(type: String, from decoder: any Decoder) throws { try self.init(from: decoder) }
  }

  typealias Event = Fact

  struct State: Sendable, Codable, Hashable {
    var balance = 0
    var givers: [String] = []
    var isClosed = false
  }

  enum Rejection: Error, Hashable {
    case tooLittle(balance: Int)
    case closed
  }

  static var initialState: State { State() }

  static func decide(_ command: Command, _ state: State, at now: Timestamp) throws(Rejection) -> [Fact] {
    switch command {
    case .close: return state.isClosed ? [] : [Fact(change: 0, closes: true)]
    case .reopen: return state.isClosed ? [Fact(change: 0, reopens: true)] : []
    case _ where state.isClosed: throw .closed
    case .put(let amount, let giver): return [Fact(change: amount, by: giver)]
    case .spend(let amount):
      guard state.balance >= amount else { throw .tooLittle(balance: state.balance) }
      return [Fact(change: -amount)]
    }
  }

  static func evolve(_ state: inout State, _ event: Fact) {
    state.balance += event.change
    if let giver = event.by { state.givers = Array((state.givers + [giver]).suffix(5)) }
    state.isClosed = (state.isClosed || event.closes) && !event.reopens
  }
}

extension EventStore {
  /// The purse's states after each of its events, folded without any of what is to be tested.
  func purseStates(_ stream: StreamName) async throws -> [Purse.State] {
    var states = [Purse.State()]
    for event in try await read(stream, limit: 100_000) {
      var state = states[states.count - 1]
      Purse.evolve(&state, try event.decode())
      states.append(state)
    }
    return states
  }
}
