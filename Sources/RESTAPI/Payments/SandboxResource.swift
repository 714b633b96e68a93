import Hummingbird
import Services
import Vocabulary

/// `/sandbox/charges` and `/sandbox/refunds`: the sandbox payment provider, as its clients see it.
struct SandboxResource: Sendable {
  /// How long the card `timeout` leaves its first request without an answer.
  private static let silence = Duration.seconds(30)

  private let sandbox: RESTAPI.Options.Sandbox

  init(_ sandbox: RESTAPI.Options.Sandbox) { self.sandbox = sandbox }

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("charges", use: charge)
    group.get("charges/{charge_id}", use: inquire)
    group.post("refunds", use: refund)
  }

  @Sendable
  private func charge(_ request: Request, _ context: APIContext) async throws -> Response {
    try authorise(request)
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let (order, card, amount) = try body.faults.finish(
      body["order_id"].identifier(OrderID.self), body["card"].string(length: 1...128), body["amount"].money())
    do throws(PaymentProviderError) {
      let status = try await sandbox.bank.charge(
        ChargeRequest(id: try Self.id(key), order: order, amount: amount, card: card))
      return try answer(ChargeAnswer(status))
    } catch {
      if card == SandboxCard.timeout.rawValue { try await Task.sleep(for: Self.silence) }
      throw Problem(error)
    }
  }

  @Sendable
  private func inquire(_ request: Request, _ context: APIContext) async throws -> Response {
    try authorise(request)
    let id = try context.identifier("charge_id", PaymentID.self)
    let status: ChargeStatus?
    do throws(PaymentProviderError) {
      status = try await sandbox.bank.inquire(id)
    } catch {
      throw Problem(error)
    }
    guard let status else { throw Problem.notFound("charge", id.rawValue) }
    return try .json(ChargeAnswer(status))
  }

  @Sendable
  private func refund(_ request: Request, _ context: APIContext) async throws -> Response {
    try authorise(request)
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let (order, payment, amount) = try body.faults.finish(
      body["order_id"].identifier(OrderID.self), body["payment_id"].identifier(PaymentID.self),
      body["amount"].money())
    do throws(PaymentProviderError) {
      let status = try await sandbox.bank.refund(
        RefundRequest(id: try Self.id(key), payment: payment, order: order, amount: amount))
      return try answer(RefundAnswer(status))
    } catch {
      throw Problem(error)
    }
  }

  private func answer(_ body: some Encodable) throws(PaymentProviderError) -> Response {
    do { return try .json(body) } catch { throw .unreachable("\(error)") }
  }

  private func authorise(_ request: Request) throws(Problem) {
    let given = request.headers[.authorization] ?? ""
    // Which byte differs must not be told by the time that this takes.
    let expected = Array("Bearer \(sandbox.secret.apiKey)".utf8)
    let difference = zip(expected, given.utf8).reduce(UInt8(given.utf8.count == expected.count ? 0 : 1)) {
      $0 | ($1.0 ^ $1.1)
    }
    guard difference == 0 else {
      throw Problem(
        .unauthorized, "api-key-invalid",
        "Header Authorization must be Bearer and the key that the sandbox and its clients share")
    }
  }

  /// A client chooses the id of a charge or refund by the key of its request.
  private static func id<Subject>(_ key: IdempotencyKey) throws(PaymentProviderError) -> Identifier<Subject> {
    guard let id = Identifier<Subject>(key.text) else {
      throw .refused("the Idempotency-Key must be an identifier")
    }
    return id
  }
}

extension Problem {
  fileprivate init(_ error: PaymentProviderError) {
    switch error {
    case .unreachable: self = .unavailable
    case .refused(let reason): self.init(.unprocessableContent, "refused", "\(reason)")
    }
  }
}

extension JSONNode {
  /// A positive amount with its currency.
  fileprivate func money() -> Money? {
    requireObject()
    guard let amount = self["amount"].integer(1...Int64.max), let currency = self["currency"].currency()
    else {
      return nil
    }
    return Money(amount, currency)
  }
}
