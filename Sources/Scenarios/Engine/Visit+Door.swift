import Booking
import Foundation
import NIOHTTP1
import Services
import Vocabulary

extension Visit {
  /// How long somebody waits to be let in.
  private static let doorPatience: Duration = .seconds(300)

  /// Takes a place in the show's waiting room, asks until let in, buys, and so leaves.
  func shop() async -> End {
    // The others take the services' place, and have no door.
    guard run.plan.strategy.isTimed else { return told(.notSupported, .error) }
    var stay = DoorStay(buyer: buyer.id, show: buyer.show)
    let end: End
    do {
      end = try await shop(&stay)
    } catch {
      end = told(.error("http", "\(error)"), .error)
    }
    run.outside.note(stay)
    await run.outside.drop(buyer.index)
    return end
  }

  private func shop(_ stay: inout DoorStay) async throws -> End {
    try await think()
    let queue = "/v1/shows/\(buyer.show)/queue"
    var place = try await place(.POST, queue, body: #"{"buyer":"\#(buyer.id)"}"#, &stay)
    if run.plan.strategy == .doorIgnored {
      stay.goesAtMicroseconds = run.recorder.elapsedMicroseconds
      return await buy(buyer.wish, as: buyer.hold, buyer.order)
    }
    switch buyer.givesUp {
    case .vanishes: return told(.done(position: 0), .done)
    case .leaves:
      let tried = try await hold(admission: nil)
      try await think()
      place = try await self.place(.GET, "/v1/queue/\(place.id)", &stay)
      try await leave(place, &stay)
      return end(tried.exchange, if: .held)
    case nil: break
    }
    let start = ContinuousClock.now
    while place.admission == nil {
      guard place.status == "waiting" else { return told(.refused("place-\(place.status)"), .refused) }
      guard start.duration(to: .now) < Self.doorPatience else {
        return told(.error("never-let-in", "still waiting after \(Self.doorPatience)"), .error)
      }
      try await think()
      place = try await self.place(.GET, "/v1/queue/\(place.id)", &stay)
    }
    try await think()
    let held = try await hold(admission: place.admission)
    guard held.exchange.answer.verdict == .done, let hold = held.hold else {
      try await leave(place, &stay)
      return end(held.exchange, if: .held)
    }
    try await think()
    stay.goesAtMicroseconds = run.recorder.elapsedMicroseconds
    let ordered = try await order(hold)
    if ordered.answer.verdict != .done { try await leave(place, &stay) }
    return end(ordered, if: .won)
  }

  /// Nobody asks without a pause.
  private func think() async throws { try await Task.sleep(for: max(buyer.thinkTime, .milliseconds(5))) }

  private func told(_ answer: BuyerAnswer, _ outcome: Attempt.Outcome) -> End {
    End(outcome: outcome, answer: answer, endMicroseconds: run.recorder.elapsedMicroseconds)
  }

  // MARK: The door

  private struct Place: Decodable {
    let id: PlaceID
    let status: String
    let admission: String?

    private enum CodingKeys: String, CodingKey {
      case id = "place_id"
      case status, admission
    }
  }

  private func place(
    _ method: HTTPMethod, _ path: String, body: String? = nil, _ stay: inout DoorStay
  ) async throws -> Place {
    let sent = run.recorder.elapsedMicroseconds
    let response = try await send(method, path, body: body, as: .door)
    guard (200..<300).contains(response.status.code) else {
      throw ScenarioRunError("\(method) \(path) was answered with \(response.status)")
    }
    let place = try JSONDecoder().decode(Place.self, from: Data(response.body.readableBytesView))
    stay.asks.append(
      .init(
        sentMicroseconds: sent, answeredMicroseconds: run.recorder.elapsedMicroseconds,
        isAdmitted: place.admission != nil))
    return place
  }

  private func leave(_ place: Place, _ stay: inout DoorStay) async throws {
    stay.goesAtMicroseconds = stay.goesAtMicroseconds ?? run.recorder.elapsedMicroseconds
    let response = try await send(.DELETE, "/v1/queue/\(place.id)", as: .door)
    guard response.status == .noContent else {
      throw ScenarioRunError("giving up a place was answered with \(response.status)")
    }
  }

  // MARK: Inside

  private struct Document: Decodable {
    struct Line: Decodable { let seat: SeatID }

    var holdID: HoldID?
    var orderID: OrderID?
    var status: Status?
    var seats: [SeatID]?
    var lines: [Line]?
    var conflicts: [Line]?
    var code: String?
    var reason: String?

    /// A word for an order, a number for a problem.
    struct Status: Decodable {
      let word: String?
      init(from decoder: any Decoder) throws {
        word = try? decoder.singleValueContainer().decode(String.self)
      }
    }

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case orderID = "order_id"
      case status, seats, lines, conflicts, code, reason
    }
  }

  private func hold(admission: String?) async throws -> (exchange: Journal.Exchange, hold: HoldID?) {
    let seats: String =
      switch buyer.wish {
      case .named(let seats): #""seats":\#(try json(seats))"#
      case .best(let best): #""best":\#(try json(best))"#
      }
    let (exchange, document) = try await exchange(
      "/v1/shows/\(buyer.show)/holds", #"{"buyer":"\#(buyer.id)",\#(seats)}"#, as: .hold,
      headers: admission.map { [("x-aisle-admission", $0)] } ?? []
    ) { .hold($0.holdID ?? buyer.hold, show: buyer.show, buyer: buyer.id, wish: buyer.wish) }
    return (exchange, document.holdID)
  }

  private func order(_ hold: HoldID) async throws -> Journal.Exchange {
    try await exchange(
      "/v1/orders", #"{"hold_id":"\#(hold)","account_id":"\#(buyer.account)","payment_method":"card"}"#,
      as: .order
    ) { .order($0.orderID ?? buyer.order, hold: hold, show: buyer.show, account: buyer.account) }.0
  }

  private func json(_ seats: [SeatID]) throws -> String {
    String(decoding: try JSONEncoder().encode(seats), as: UTF8.self)
  }

  private func json(_ best: Booking.Best) throws -> String {
    var parts = [#""count":\#(best.count)"#, #""together":\#(best.together)"#]
    if best.accessible > 0 { parts.append(#""accessible":\#(best.accessible)"#) }
    if let section = best.section { parts.append(#""section":"\#(section)""#) }
    if let category = best.category { parts.append(#""category":"\#(category)""#) }
    return "{" + parts.joined(separator: ",") + "}"
  }

  /// - Parameter request: what was asked for, by the ids of the answer.
  private func exchange(
    _ path: String, _ body: String, as operation: RunRecorder.Operation, headers: [(String, String)] = [],
    _ request: (Document) -> BuyerRequest
  ) async throws -> (Journal.Exchange, Document) {
    let before = run.journal.knownHead
    let start = run.recorder.elapsedMicroseconds
    let response = try await send(.POST, path, body: body, headers: headers, as: operation)
    let end = run.recorder.elapsedMicroseconds
    let document =
      (try? JSONDecoder().decode(Document.self, from: Data(response.body.readableBytesView))) ?? Document()
    let answer: BuyerAnswer
    switch response.status.code {
    case 201 where document.status?.word == "held" || document.status?.word == "confirmed":
      answer = .done(
        seats: document.seats ?? document.lines?.map(\.seat) ?? [],
        position: response.headers.first(name: "x-aisle-position").flatMap { Int64($0) } ?? 0)
    case 403, 409:
      answer = .refused(
        document.reason ?? document.code ?? "http-\(response.status.code)",
        seats: document.conflicts?.map(\.seat) ?? [])
    default:
      answer = .error(
        "http-\(response.status.code)", String(buffer: response.body))
    }
    run.journal.learned(answer.position)
    let after = answer.verdict == .refused ? try? await run.aisle.store.head().rawValue : nil
    let exchange = Journal.Exchange(
      buyer: buyer.index, request: request(document), simulatedAt: instant, answers: [answer],
      headBefore: before, headAfter: after, startMicroseconds: start, endMicroseconds: end)
    run.journal.note(exchange)
    return (exchange, document)
  }

  /// Whoever is turned away since the server is busy asks again.
  private func send(
    _ method: HTTPMethod, _ path: String, body: String? = nil, headers: [(String, String)] = [],
    as operation: RunRecorder.Operation
  ) async throws -> HTTPExchange.Response {
    let start = ContinuousClock.now
    // The same for a place, a hold and an order: each has keys of its own.
    let key = method == .POST ? [("idempotency-key", buyer.order.rawValue)] : []
    let connection = try await run.outside.connection(buyer.index)
    while true {
      let response = try await connection.send(method, path, body: body, headers: headers + key)
      guard [429, 503].contains(response.status.code), start.duration(to: .now) < Self.patience else {
        run.recorder.measure(operation, start.duration(to: .now), lane: buyer.index)
        return response
      }
      run.outside.noteTurnedAway()
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
