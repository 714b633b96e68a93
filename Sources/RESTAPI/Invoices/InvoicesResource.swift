import Billing
import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/accounts/{account_id}/invoices` and `/v1/accounts/{account_id}/credit-notes`
struct InvoicesResource: Sendable {
  let billing: BillingService

  /// Of one credit note.
  private static let maximumLines = 1000

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("accounts/{account_id}/invoices", use: invoices)
    group.get("accounts/{account_id}/invoices/{number}", use: invoice)
    group.post("accounts/{account_id}/invoices/{number}/credit-notes", use: credit)
    group.get("accounts/{account_id}/credit-notes", use: creditNotes)
    group.get("accounts/{account_id}/credit-notes/{number}", use: creditNote)
  }

  /// In the order in which they were issued.
  @Sendable
  private func invoices(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let query = Query(request)
    let (limit, start) = try query.faults.finish(
      query.limit(),
      query.cursor(of: .invoices, default: Position.start) { Int64($0).map(Position.init) })
    let invoices = try await billing.invoices(of: account, after: start, limit: limit + 1)
    return try .json(
      Page(invoices, limit: limit, list: .invoices, position: \.position) { $0 }, unlessKnownBy: request)
  }

  @Sendable
  private func invoice(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let invoice = try await billing.invoice(try context.documentNumber(), of: account)
    return try .json(invoice, unlessKnownBy: request)
  }

  // MARK: Credit notes

  /// Gives back all that is left of an invoice, or some amounts of its lines.
  @Sendable
  private func credit(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let number = try context.documentNumber()
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let amounts = body["lines"].ifPresent { $0.array(of: 1...Self.maximumLines, Self.amount) }
    let (reason, chosen) = try body.faults.finish(body["reason"].string(length: 1...200), amounts)
    let note = try await billing.credit(
      chosen, of: number, to: account, because: reason, key: key.text, context.command)
    return try .json(note)
      .created(at: "/v1/accounts/\(account)/credit-notes/\(note.creditNoteNumber)", replayed: false)
      .at(note.position)
  }

  /// In minor units of the invoice's currency.
  private static func amount(_ line: JSONNode) -> Billing.CreditedAmount? {
    let position = line["position"].integer(1...Int64.max)
    let number = line["line_no"].integer(1...Int64(Int32.max))
    let amount = line["amount"].integer(1...Int64.max)
    guard let position, let number, let amount else { return nil }
    return Billing.CreditedAmount(position: position, lineNumber: Int(number), amount: amount)
  }

  /// In the order in which they were issued.
  @Sendable
  private func creditNotes(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let query = Query(request)
    let (limit, start) = try query.faults.finish(
      query.limit(),
      query.cursor(of: .creditNotes, default: Position.start) { Int64($0).map(Position.init) })
    let notes = try await billing.creditNotes(of: account, after: start, limit: limit + 1)
    return try .json(
      Page(notes, limit: limit, list: .creditNotes, position: \.position) { $0 }, unlessKnownBy: request)
  }

  @Sendable
  private func creditNote(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let note = try await billing.creditNote(try context.documentNumber(), of: account)
    return try .json(note, unlessKnownBy: request)
  }
}
