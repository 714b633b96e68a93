import Billing
import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/accounts`
struct AccountsResource: Sendable {
  let billing: BillingService
  let store: EventStore

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("accounts", use: open)
    group.put("accounts/{account_id}/time-zone", use: changeZone)
  }

  @Sendable
  private func open(_ request: Request, _ context: APIContext) async throws -> Response {
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let given = body["account_id"]
    let derived = AccountID(unchecked: key.uniqueID(of: "account"))
    let (id, name, timeZone) = try body.faults.finish(
      given.isPresent ? given.identifier(AccountID.self) : derived, body["name"].string(length: 1...200),
      body["time_zone"].string(length: 1...64))
    do throws(ServiceError) {
      try await billing.openAccount(id, name: name, timeZone: timeZone, context.command)
    } catch .billingRejected(.alreadyOpened(let account)) {
      guard !given.isPresent else { throw Problem(Billing.Rejection.alreadyOpened(account)) }
      throw Problem.idReused("The account of this Idempotency-Key is open with another name or time zone")
    }
    return try .json(AccountBody(accountID: id, name: name, timeZone: timeZone))
      .created(at: "/v1/accounts/\(id)/bills", replayed: false)
      .at(try await store.head())
  }
}

extension AccountsResource {
  /// What is in the log before stays in its months, so repeating it is fine.
  @Sendable
  private func changeZone(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("account_id", AccountID.self)
    let body = try await request.jsonBody()
    let timeZone = try body.faults.finish(body["time_zone"].string(length: 1...64))
    try await billing.changeZone(of: id, to: timeZone, context.command)
    return try .json(AccountZoneBody(accountID: id, timeZone: timeZone)).at(try await store.head())
  }
}

struct AccountZoneBody: Encodable {
  let accountID: AccountID
  let timeZone: String

  private enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case timeZone = "time_zone"
  }
}

struct AccountBody: Encodable {
  let accountID: AccountID
  let name: String
  let timeZone: String

  private enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case name
    case timeZone = "time_zone"
  }
}
