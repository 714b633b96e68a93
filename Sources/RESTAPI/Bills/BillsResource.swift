import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/v1/accounts/{account_id}/bills`
struct BillsResource: Sendable {
  let billing: BillingService
  let time: TimeSource
  let gate: ReadGate

  /// Months that one request may ask for.
  private static let maximumMonths = 120

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("accounts/{account_id}/bills", use: bills)
    group.get("accounts/{account_id}/bills/{month}", use: bill)
    group.get("accounts/{account_id}/bills/{month}/lines", use: lines)
  }

  /// The bills of some months, at most one for each month and currency; of the last twelve by default.
  @Sendable
  private func bills(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let query = Query(request)
    let end = query.month("to", default: Month(of: time.now))
    let start = query.month("from", default: end.map { $0.going(back: 11) } ?? Month(of: time.now))
    if let start, let end {
      if start > end { query.reject("from", "is \(start), after to, which is \(end)") }
      if end.months(since: start) >= Self.maximumMonths {
        query.reject("from", "is more than \(Self.maximumMonths) months before to; ask for fewer")
      }
    }
    let (first, last, source) = try query.faults.finish(
      start, end, query.choice("source", default: BillSource.automatic))
    try await gate.pass(request, for: billing.subscription.name)
    let bills = try await billing.bills(account, from: first, to: last, source: source)
    return try .json(Page(bills, nextCursor: nil), unlessKnownBy: request)
  }

  /// The bill of a month, as an object. An account with several currencies has to be asked for one of them.
  @Sendable
  private func bill(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let month = try context.month()
    let query = Query(request)
    let (source, currency) = try query.faults.finish(
      query.choice("source", default: BillSource.automatic),
      query.parse("currency", "an ISO 4217 currency such as EUR", default: Currency?.none) {
        Currency($0).map(Optional.some)
      })
    try await gate.pass(request, for: billing.subscription.name)
    var bills = try await billing.bill(account, month, source: source)
    // Tables may lag behind an order that was confirmed a moment ago: that there is nothing, only the log says.
    if bills.isEmpty, source == .automatic { bills = try await billing.bill(account, month, source: .batch) }
    bills.removeAll { currency != nil && $0.currency != currency }
    guard let bill = bills.first else {
      throw Problem(
        .notFound, "bill-not-found",
        "Nothing was billed to account \(account) in \(month)\(currency.map { " in \($0)" } ?? "")")
    }
    guard bills.count == 1 else {
      let currencies = bills.map(\.currency)
      let list = currencies.map(\.code).joined(separator: ", ")
      throw Problem(
        .badRequest, "currency-needed",
        "Account \(account) has bills in \(list) for \(month); choose one by ?currency="
      ).with {
        $0.currencies = currencies
        $0.errors = [Fault(.parameter("currency"), "is missing; it must be one of \(list)")]
      }
    }
    // A closed bill is the same wherever it is read from, and for ever.
    guard let number = bill.invoiceNumber else { return try .json(bill, unlessKnownBy: request) }
    return try .json(bill).tagged(.equivalent("\(number)-\(bill.digest)"), for: request)
  }

  /// The lines of a month in the order of the log, whatever their currency.
  @Sendable
  private func lines(_ request: Request, _ context: APIContext) async throws -> Response {
    let account = try context.identifier("account_id", AccountID.self)
    let month = try context.month()
    let query = Query(request)
    let (source, limit, start) = try query.faults.finish(
      query.choice("source", default: BillSource.automatic), query.limit(),
      query.cursor(of: .lines, default: BillLine.Cursor?.none) { BillLine.Cursor($0).map(Optional.some) })
    try await gate.pass(request, for: billing.subscription.name)
    let page = try await billing.lines(account, month, source: source, after: start, limit: limit)
    return try .json(
      BillLinesBody(
        accountID: account, month: month, source: page.source, asOfPosition: page.asOfPosition,
        data: page.lines,
        nextCursor: page.next.map { Cursor(.lines, $0.description).text }),
      unlessKnownBy: request)
  }
}

struct BillLinesBody: Encodable {
  let accountID: AccountID
  let month: Month
  let source: Bill.Source
  let asOfPosition: Position
  let data: [BillLine]
  let nextCursor: String?

  private enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case month, source
    case asOfPosition = "as_of_position"
  }

  func encode(to encoder: any Encoder) throws {
    try Page(data, nextCursor: nextCursor).encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(accountID, forKey: .accountID)
    try container.encode(month, forKey: .month)
    try container.encode(source, forKey: .source)
    try container.encode(asOfPosition, forKey: .asOfPosition)
  }
}

extension Month {
  fileprivate func going(back months: Int) -> Month {
    (0..<months).reduce(self) { month, _ in month.previous }
  }

  fileprivate func months(since start: Month) -> Int { (year - start.year) * 12 + month - start.month }
}
