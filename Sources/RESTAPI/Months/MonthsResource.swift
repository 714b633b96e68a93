import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/billing/months`
struct MonthsResource: Sendable {
  let billing: BillingService
  let gate: ReadGate

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("billing/months/{month}", use: overview)
    group.post("billing/months/{month}/reconcile", use: reconcile)
    group.post("billing/months/{month}/close", use: close)
    group.get("billing/months/{month}/parked", use: parked)
  }

  /// The bills of all accounts.
  @Sendable
  private func overview(_ request: Request, _ context: APIContext) async throws -> Response {
    let month = try context.month()
    let query = Query(request)
    let (source, limit, start) = try query.faults.finish(
      query.choice("source", default: BillSource.automatic), query.limit(),
      query.cursor(of: .month, default: MonthOverview.Cursor?.none) {
        MonthOverview.Cursor($0).map(Optional.some)
      })
    try await gate.pass(request, for: billing.subscription.name)
    let overview = try await billing.monthOverview(month, source: source, after: start, limit: limit)
    return try .json(MonthBody(overview), unlessKnownBy: request)
  }

  /// Compares the tables with the log. A difference is an answer, not an error of the request.
  @Sendable
  private func reconcile(_ request: Request, _ context: APIContext) async throws -> Response {
    try .json(ReconciliationBody(try await billing.reconcile(try context.month())))
  }

  /// Turns bills into invoices. A bill that cannot be closed is an answer too; the same request again goes on.
  @Sendable
  private func close(_ request: Request, _ context: APIContext) async throws -> Response {
    let month = try context.month()
    // Each bill is closed once, whatever the key: the key is asked for as it is by every POST that writes.
    _ = try request.idempotencyKey()
    let query = Query(request)
    let account = try query.faults.finish(
      query.parse("account", "an account's identifier", default: AccountID?.none) {
        AccountID($0).map(Optional.some)
      })
    let closing = try await billing.close(month, account: account, context.command)
    return try .json(closing).at(try await gate.store.head())
  }

  /// The bills that could not be closed when it was tried.
  @Sendable
  private func parked(_ request: Request, _ context: APIContext) async throws -> Response {
    let month = try context.month()
    return try .json(
      Page(try await billing.parkedBills(month), nextCursor: nil), unlessKnownBy: request)
  }
}

struct MonthBody: Encodable {
  let overview: MonthOverview

  init(_ overview: MonthOverview) { self.overview = overview }

  private enum CodingKeys: String, CodingKey {
    case month, source
    case asOfPosition = "as_of_position"
  }

  func encode(to encoder: any Encoder) throws {
    let next = overview.next.map { Cursor(.month, $0.description).text }
    try Page(overview.bills, nextCursor: next).encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(overview.month, forKey: .month)
    try container.encode(overview.source, forKey: .source)
    try container.encode(overview.asOfPosition, forKey: .asOfPosition)
  }
}

struct ReconciliationBody: Encodable {
  let reconciliation: Reconciliation

  init(_ reconciliation: Reconciliation) { self.reconciliation = reconciliation }

  private enum CodingKeys: String, CodingKey { case isEqual = "equal" }

  func encode(to encoder: any Encoder) throws {
    try reconciliation.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(reconciliation.isEqual, forKey: .isEqual)
  }
}
