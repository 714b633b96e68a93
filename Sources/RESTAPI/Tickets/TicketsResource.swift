import Hummingbird
import Ordering
import Services
import Vocabulary

/// `/v1/orders/{order_id}/tickets`
struct TicketsResource: Sendable {
  let ordering: OrderingService

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("orders/{order_id}/tickets", use: list)
    group.post("orders/{order_id}/tickets/{seat}/transfer", use: transfer)
    group.post("orders/{order_id}/tickets/{seat}/check-in", use: checkIn)
  }

  /// From the order's stream, so it never lags.
  @Sendable
  private func list(_ request: Request, _ context: APIContext) async throws -> Response {
    let receipt = try await ordering.order(try context.identifier("order_id", OrderID.self))
    return try .json(TicketsBody(receipt)).tagged(.version(receipt.version), for: request)
  }

  /// Needs no Idempotency-Key: who has the ticket already, has it.
  @Sendable
  private func transfer(_ request: Request, _ context: APIContext) async throws -> Response {
    let (order, seat) = try place(context)
    let body = try await request.jsonBody()
    let (holder, email) = try body.faults.finish(
      body["to"].identifier(BuyerID.self), body["email"].ifPresent { $0.email() })
    return try answer(
      try await ordering.transfer(seat, of: order, to: holder, email: email, context.command))
  }

  /// The key tells a repeated request from a second person with the same ticket.
  @Sendable
  private func checkIn(_ request: Request, _ context: APIContext) async throws -> Response {
    let (order, seat) = try place(context)
    let key = try request.idempotencyKey()
    let scan = ScanID(unchecked: key.uniqueID(of: "scan", in: "\(order) \(seat)"))
    return try answer(try await ordering.checkIn(seat, of: order, scan: scan, context.command))
  }

  private func place(_ context: APIContext) throws(Problem) -> (OrderID, SeatID) {
    (try context.identifier("order_id", OrderID.self), try context.identifier("seat", SeatID.self))
  }

  private func answer(_ receipt: OrderingService.Receipt) throws -> Response {
    var response = try Response.json(TicketsBody(receipt)).at(receipt.position)
    response.headers[.eTag] = EntityTag.version(receipt.version).description
    return response
  }
}

/// The tickets of an order as they are answered.
struct TicketsBody: Encodable {
  struct Ticket: Encodable {
    let seat: SeatID
    let holder: BuyerID
    let status: Ordering.Ticket.Status
  }

  let orderID: OrderID
  let showID: ShowID
  let tickets: [Ticket]

  private enum CodingKeys: String, CodingKey {
    case orderID = "order_id"
    case showID = "show_id"
    case tickets
  }

  init(_ receipt: OrderingService.Receipt) {
    orderID = receipt.order.orderID
    showID = receipt.order.showID
    tickets = receipt.tickets.map { Ticket(seat: $0.seat, holder: $0.holder, status: $0.status) }
  }
}
