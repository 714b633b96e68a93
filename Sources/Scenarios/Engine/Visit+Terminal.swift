import Services
import Vocabulary

extension Visit {
  /// One operation of a booking desk.
  func atTerminal() async -> End? {
    guard let desk = buyer.terminal else { return nil }
    let start = ContinuousClock.now
    let (end, operation): (End, RunRecorder.Operation) =
      switch action.kind {
      case .findOpenSeats: (await findOpenSeats(desk), .findOpenSeats)
      case .findFlights: (await findFlights(desk), .findFlights)
      case .newReservation: (await reserve(desk), .newReservation)
      case .updateReservation: (await move(desk), .updateReservation)
      case .updateCustomer: (await rename(), .updateCustomer)
      default: (await delete(desk), .deleteReservation)
      }
    run.recorder.measure(operation, start.duration(to: .now), lane: desk)
    if buyer.thinkTime > .zero { try? await Task.sleep(for: buyer.thinkTime) }
    return end
  }

  private func done(_ answer: BuyerAnswer) -> End {
    let outcome: Attempt.Outcome =
      switch answer.verdict {
      case .done: .done
      case .refused: .refused
      case .error: .error
      }
    return End(outcome: outcome, answer: answer, endMicroseconds: run.recorder.elapsedMicroseconds)
  }

  private func findOpenSeats(_ desk: Int) async -> End {
    do {
      let view = try await run.looker.look(
        at: buyer.show, run.plan.buyers[desk].id.rawValue, lane: desk, at: instant,
        after: run.desks.lastView(desk, of: buyer.show))
      guard let view else { return done(.refused("server-busy")) }
      run.outside.note(view)
      run.desks.saw(view, desk)
      return done(.done(version: view.version, position: 0))
    } catch {
      return done(.error("http", "\(error)"))
    }
  }

  private func findFlights(_ desk: Int) async -> End {
    do {
      let response = try await run.outside.connection(desk).get("/v1/shows?limit=20")
      switch response.status.code {
      case 200: return done(.done(position: 0))
      case 429, 503: return done(.refused("server-busy"))
      default: return done(.error("http-\(response.status.code)"))
      }
    } catch {
      return done(.error("http", "\(error)"))
    }
  }

  private func reserve(_ desk: Int) async -> End {
    guard let seat = run.desks.pick(desk, in: buyer.show) else { return done(.refused("no-open-seats")) }
    let bought = await buy(.named([seat]), as: buyer.hold, buyer.order)
    if bought.answer.verdict != .error {
      run.desks.learned([seat], of: buyer.show, areTaken: true, desk)
    }
    return bought
  }

  /// First the new seat, then the old one is given back: nobody is without a seat in between.
  private func move(_ desk: Int) async -> End {
    guard let purse = run.purses[buyer.index] else { return done(.refused("no-reservation")) }
    guard let seat = run.desks.pick(desk, in: buyer.show) else { return done(.refused("no-open-seats")) }
    let moves = purse.moves + 1
    let hold = HoldID(unchecked: "\(buyer.hold).\(moves)")
    let held = await self.hold(.named([seat]), as: hold)
    run.desks.learned([seat], of: buyer.show, areTaken: true, desk)
    guard held.answer.verdict == .done else { return end(held, if: .done) }
    let bought = await order(OrderID(unchecked: "\(buyer.order).\(moves)"), of: hold, moves: moves)
    guard bought.answer.verdict == .done else { return end(bought, if: .done) }
    let cancelled = await exchange(.cancel(purse.order, show: buyer.show))
    run.desks.learned(purse.seats, of: buyer.show, areTaken: false, desk)
    return cancelled.answer.verdict == .done ? end(bought, if: .done) : end(cancelled, if: .done)
  }

  private func rename() async -> End {
    guard let purse = run.purses[buyer.index], let seat = purse.seats.first else {
      return done(.refused("no-reservation"))
    }
    let holder = BuyerID(unchecked: "\(buyer.id)-instead")
    return end(await exchange(.transfer(purse.order, show: buyer.show, seat: seat, to: holder)), if: .done)
  }

  private func delete(_ desk: Int) async -> End {
    guard let purse = run.purses[buyer.index] else { return done(.refused("no-reservation")) }
    let cancelled = await exchange(.cancel(purse.order, show: buyer.show))
    if cancelled.answer.verdict == .done {
      run.purses.keep(nil, of: buyer.index)
      run.desks.learned(purse.seats, of: buyer.show, areTaken: false, desk)
    }
    return end(cancelled, if: .cancelled)
  }
}
