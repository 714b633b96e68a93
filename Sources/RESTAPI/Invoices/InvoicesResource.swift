import Billing
import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/accounts/{account_id}/invoices`
struct InvoicesResource: Sendable {
  let billing: BillingService

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("accounts/{account_id}/invoices", use: invoices)
    group.get("accounts/{account_id}/invoices/{number}", use: invoice)
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
}
