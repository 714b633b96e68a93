import Booking
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

  /// What came of it.
  struct End {
    let outcome: Attempt.Outcome
    let answer: BuyerAnswer
    var version: Int64?
    let endMicroseconds: Int64
  }

  func run() async {
    let start = run.recorder.elapsedMicroseconds
    guard let end = await act() else { return }
    run.recorder.record(
      Attempt(
        buyer: buyer.id.rawValue, group: buyer.group, show: buyer.show.rawValue, action: action.kind,
        startMicroseconds: start, endMicroseconds: end.endMicroseconds, simulatedAt: instant,
        outcome: end.outcome, reason: end.answer.verdict == .done ? nil : end.answer.reason,
        seats: end.answer.verdict == .done ? end.answer.seats.map(\.rawValue) : [],
        streamVersion: end.answer.verdict == .done ? end.version : nil, worker: buyer.worker),
      lane: buyer.index)
  }

  /// - Returns: nil if there was nothing to do.
  private func act() async -> End? {
    switch action.kind {
    case .hold: return end(await hold(buyer.wish, as: buyer.hold), if: .held)
    case .buy: return await buy(buyer.wish, as: buyer.hold, buyer.order)
    case .pay: return end(await order(buyer.order, of: buyer.hold), if: .won)
    case .cancel: return await cancel()
    case .giveBack: return await giveBack()
    case .ask: return await ask()
    case .join: return await join()
    case .look: return await look()
    case .shop: return await shop()
    case .interleave: return await interleave()
    case .findOpenSeats, .newReservation, .updateReservation, .updateCustomer, .findFlights,
      .deleteReservation:
      return await atTerminal()
    }
  }

  // MARK: Buying

  func hold(_ wish: PlannedWish, as id: HoldID) async -> Journal.Exchange {
    await exchange(.hold(id, show: buyer.show, buyer: buyer.id, wish: wish))
  }

  func order(_ id: OrderID, of hold: HoldID, moves: Int = 0) async -> Journal.Exchange {
    let request: BuyerRequest =
      buyer.card.map { .pay(id, hold: hold, show: buyer.show, account: buyer.account, card: $0) }
      ?? .order(id, hold: hold, show: buyer.show, account: buyer.account)
    let bought = await exchange(request)
    let answer = bought.answer
    if answer.verdict == .done {
      run.purses.keep(
        .init(order: id, hold: hold, seats: answer.seats, isPending: answer.isPending, moves: moves),
        of: buyer.index)
    }
    return bought
  }

  func buy(_ wish: PlannedWish, as hold: HoldID, _ id: OrderID) async -> End {
    let held = await self.hold(wish, as: hold)
    guard held.answer.verdict == .done else { return end(held, if: .held) }
    if buyer.thinkTime > .zero { try? await Task.sleep(for: buyer.thinkTime) }
    return end(await order(id, of: hold), if: .won, version: held.answer.version)
  }

  private func ask() async -> End? {
    guard let purse = run.purses[buyer.index], purse.isPending else { return nil }
    let asked = await exchange(.ask(purse.order, show: buyer.show))
    return end(asked, if: .won)
  }

  // MARK: Giving back

  private func cancel() async -> End? {
    // Who has bought nothing has nothing to give back.
    guard let purse = run.purses[buyer.index], !purse.isPending else { return nil }
    let cancelled = await exchange(.cancel(purse.order, show: buyer.show))
    if cancelled.answer.verdict == .done { run.purses.keep(nil, of: buyer.index) }
    return end(cancelled, if: .cancelled)
  }

  private func giveBack() async -> End? {
    guard var purse = run.purses[buyer.index], !purse.isPending, let givesBack = buyer.givesBack else {
      return nil
    }
    let seats: [SeatID]? =
      switch givesBack {
      case .all: nil
      case .seats(let count): Array(purse.seats.prefix(count))
      }
    let given = await exchange(
      .giveBack(purse.order, show: buyer.show, seats: seats, quote: QuoteID(unchecked: "\(purse.order).q")))
    if given.answer.verdict == .done {
      purse.seats.removeAll { given.answer.seats.contains($0) }
      run.purses.keep(purse, of: buyer.index)
    }
    return end(given, if: .cancelled)
  }

  // MARK: Waiting

  private func join() async -> End? {
    guard case .best(let wish) = buyer.wish else { return nil }
    return end(
      await exchange(.join(buyer.waiting, show: buyer.show, buyer: buyer.id, wish: wish)), if: .done)
  }

  private func look() async -> End? {
    guard run.purses[buyer.index] == nil else { return nil }
    let seen = await exchange(.seeOffer(buyer.waiting, show: buyer.show))
    guard seen.answer.verdict == .done, !buyer.abandons else { return end(seen, if: .held) }
    return end(await order(buyer.order, of: buyer.waiting.hold), if: .won, version: seen.answer.version)
  }

  // MARK: Asking

  func end(
    _ exchange: Journal.Exchange, if success: Attempt.Outcome, version: Int64? = nil
  ) -> End {
    let answer = exchange.answer
    let outcome: Attempt.Outcome =
      switch answer.verdict {
      // An order whose payment is open is not won yet.
      case .done: answer.isPending ? .held : success
      case .refused: .refused
      case .error: .error
      }
    return End(
      outcome: outcome, answer: answer, version: version ?? answer.version,
      endMicroseconds: exchange.endMicroseconds)
  }

  /// Sends a request as often as this buyer does, all copies at once, and waits for all answers.
  func exchange(_ request: BuyerRequest) async -> Journal.Exchange {
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
