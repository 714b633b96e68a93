import Hummingbird
import Services
import Vocabulary

/// `/v1/ledger`
struct LedgerResource: Sendable {
  let billing: BillingService

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("ledger/trial-balance", use: trialBalance)
  }

  /// From the log, so it never lags; and it takes as long as the log is.
  @Sendable
  private func trialBalance(_ request: Request, _ context: APIContext) async throws -> Response {
    let query = Query(request)
    let through = try query.faults.finish(query.month("through"))
    let balance = try await billing.trialBalance(through: through)
    return try .json(TrialBalanceBody(balance), unlessKnownBy: request)
  }
}

struct TrialBalanceBody: Encodable {
  let balance: TrialBalance

  init(_ balance: TrialBalance) { self.balance = balance }

  private enum CodingKeys: String, CodingKey { case isBalanced = "balanced" }

  func encode(to encoder: any Encoder) throws {
    try balance.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(balance.isBalanced, forKey: .isBalanced)
  }
}
