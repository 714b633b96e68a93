/// What a round of `aisle chaos` can do to the system.
public enum ChaosFault: String, Codable, Sendable, CaseIterable {
  case killBackend = "kill-backend"
  case killPostmaster = "kill-postmaster"
  case immediateRestart = "immediate-restart"
  case killWorker = "kill-worker"
  case pauseWorker = "pause-worker"
  case delay
  case trickle
  case halfOpen = "half-open"
  case cutBeforeAnswer = "cut-before-answer"
  case cutMidMessage = "cut-mid-message"
  case freeze
  case refuse
  case diskFull = "disk-full"
  case connectionsExhausted = "connections-exhausted"
  case idleInTransaction = "idle-in-transaction"

  /// In a few words, for `--help`.
  public var summary: String {
    switch self {
    case .killBackend: "SIGKILL to a server process: PostgreSQL throws everybody out and recovers"
    case .killPostmaster: "SIGKILL to the server's main process, then a new start"
    case .immediateRestart: "pg_ctl stop -m immediate, then a new start"
    case .killWorker: "SIGKILL to an aisle process, which is started again"
    case .pauseWorker: "SIGSTOP to an aisle process for longer than any lease, then SIGCONT"
    case .delay: "the network is slow"
    case .trickle: "bytes arrive one by one"
    case .halfOpen: "one direction of connections is swallowed"
    case .cutBeforeAnswer: "connections die after the server got the commit, before its answer"
    case .cutMidMessage: "connections die in the middle of a message"
    case .freeze: "connections stand still without being closed"
    case .refuse: "no new connections, and the old ones closed"
    case .diskFull: "the server's disk is full (a small tmpfs; needs root)"
    case .connectionsExhausted: "the server's max_connections are all taken"
    case .idleInTransaction: "somebody sits in an open transaction, with the log's lock"
    }
  }

  /// How the proxy does it; nil for those that are not the network's.
  func proxyFault(_ random: inout ChaosRandom) -> ProxyFault? {
    switch self {
    case .delay: .delay(milliseconds: random.number(in: 5...150))
    case .trickle: .trickle(bytes: random.number(in: 1...40), milliseconds: 1)
    case .halfOpen: random.chance(50) ? .swallowAnswers : .swallowRequests
    case .cutBeforeAnswer: .cutBeforeAnswer
    case .cutMidMessage: .cutMidMessage
    case .freeze: .freeze
    case .refuse: .refuse
    default: nil
    }
  }
}
