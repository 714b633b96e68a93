import EventStore
import Services
import Vocabulary

/// One action of one buyer, from the first request to the last answer.
struct Visit: Sendable {
  /// How long a buyer goes on asking who got no answer.
  static let patience: Duration = .seconds(60)

  let action: PlannedAction
  let buyer: PlannedBuyer
  let instant: Timestamp
  let run: PlanRunner

  init(_ action: PlannedAction, at instant: Timestamp, in run: PlanRunner) {
    self.action = action
    buyer = run.plan.buyers[action.buyer]
    self.instant = instant
    self.run = run
  }

  func run() async {
    let start = run.recorder.elapsedMicroseconds
    let outcome: (Attempt.Outcome, Journal.Exchange, version: Int64?)
    switch action.kind {
    case .hold:
      let held = await exchange(holding)
      outcome = (self.outcome(of: held, if: .held), held, held.answer.version)
    case .buy:
      let held = await exchange(holding)
      if held.answer.verdict == .done {
        if buyer.thinkTime > .zero { try? await Task.sleep(for: buyer.thinkTime) }
        let bought = await exchange(ordering)
        outcome = (self.outcome(of: bought, if: .won), bought, held.answer.version)
      } else {
        outcome = (self.outcome(of: held, if: .held), held, nil)
      }
    case .pay:
      let bought = await exchange(ordering)
      outcome = (self.outcome(of: bought, if: .won), bought, bought.answer.version)
    case .cancel:
      let cancelled = await exchange(.cancel(buyer.order, show: buyer.show))
      outcome = (self.outcome(of: cancelled, if: .cancelled), cancelled, cancelled.answer.version)
    }
    let (what, last, version) = outcome
    let answer = last.answer
    run.recorder.record(
      Attempt(
        buyer: buyer.id.rawValue, group: buyer.group, show: buyer.show.rawValue, action: action.kind,
        startMicroseconds: start, endMicroseconds: last.endMicroseconds, simulatedAt: instant,
        outcome: what, reason: answer.verdict == .done ? nil : answer.reason,
        seats: answer.verdict == .done ? answer.seats.map(\.rawValue) : [],
        streamVersion: answer.verdict == .done ? version : nil, worker: buyer.worker), lane: buyer.index)
  }

  private var holding: BuyerRequest {
    .hold(buyer.hold, show: buyer.show, buyer: buyer.id, wish: buyer.wish)
  }

  private var ordering: BuyerRequest {
    .order(buyer.order, hold: buyer.hold, show: buyer.show, account: buyer.account)
  }

  private func outcome(of exchange: Journal.Exchange, if success: Attempt.Outcome) -> Attempt.Outcome {
    switch exchange.answer.verdict {
    case .done: success
    case .refused: .refused
    case .error: .error
    }
  }

  /// Sends a request as often as this buyer does, all copies at once, and waits for all answers.
  private func exchange(_ request: BuyerRequest) async -> Journal.Exchange {
    let before = run.journal.knownHead
    let start = run.recorder.elapsedMicroseconds
    let answers = await withTaskGroup(of: BuyerAnswer.self) { group in
      for _ in 0..<buyer.sends { group.addTask { await ask(request) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let end = run.recorder.elapsedMicroseconds
    for answer in answers { run.journal.learned(answer.position) }
    // After the time is taken: looking at the log's end is not the buyer's business.
    let isRefused = answers.contains { $0.verdict == .refused }
    let after = isRefused ? try? await run.aisle.store.head().rawValue : nil
    let exchange = Journal.Exchange(
      buyer: buyer.index, request: request, simulatedAt: instant, answers: answers, headBefore: before,
      headAfter: after, startMicroseconds: start, endMicroseconds: end)
    run.journal.note(exchange)
    return exchange
  }

  /// Asks, and asks again with the same ids while nobody knows what became of it.
  private func ask(_ request: BuyerRequest) async -> BuyerAnswer {
    let start = ContinuousClock.now
    var pause = Duration.milliseconds(10)
    var answer = await office.answer(request)
    while answer.isUnknown, !Task.isCancelled, start.duration(to: .now) < Self.patience {
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(100))
      answer = await office.answer(request)
    }
    run.recorder.measure(request.operation, start.duration(to: .now), lane: buyer.index)
    return answer
  }

  private var office: any BoxOffice { run.offices[((buyer.worker ?? 1) - 1) % run.offices.count] }
}
