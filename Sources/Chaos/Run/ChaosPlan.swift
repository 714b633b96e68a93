/// What happens in one round, drawn from its seed alone.
public struct ChaosPlan: Codable, Sendable {
  public struct Strike: Codable, Sendable {
    public let fault: ChaosFault
    /// After the workers are ready.
    public let atMilliseconds: Int
    public let forMilliseconds: Int
    /// Which worker, and for other draws that the fault needs.
    public let draw: UInt64
  }

  public let seed: UInt64
  public let milliseconds: Int
  public let strikes: [Strike]

  public var faults: [ChaosFault] { strikes.map(\.fault) }
  var needsSmallDisk: Bool { faults.contains(.diskFull) }

  /// One to three faults, one after the other.
  public init(seed: UInt64, seconds: Double, faults: [ChaosFault]) {
    var random = ChaosRandom(seed: seed, subject: "plan")
    self.seed = seed
    milliseconds = Int(seconds * 1000)
    var strikes: [Strike] = []
    let count = random.number(in: 1...3)
    for number in 0..<count {
      guard let fault = random.element(of: faults) else { break }
      let share = milliseconds / count
      let start = number * share + random.number(in: share / 10...max(share / 10, share / 2))
      // A pause must outlast what the store gives a process that does not answer.
      let length =
        fault == .pauseWorker
        ? random.number(in: 5500...8000) : random.number(in: share / 4...max(share / 4, share / 2))
      strikes.append(
        Strike(fault: fault, atMilliseconds: start, forMilliseconds: length, draw: random.next()))
    }
    self.strikes = strikes
  }

  /// The seed of a run's nth round. The first has the run's own, so that `--seed` of a round repeats it.
  public static func seed(ofRound round: Int, in run: UInt64) -> UInt64 {
    if round == 0 { return run }
    var random = ChaosRandom(seed: run, subject: "round \(round)")
    // Short enough to be typed.
    return random.next() >> 32
  }
}
