import Booking
import EventStore
import Hummingbird
import Ordering
import Services
import Vocabulary

/// `/v1/orders`, but for the list of them, which is a report.
struct OrdersResource: Sendable {
  let ordering: OrderingService
  let booking: BookingService
  let store: EventStore

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("orders", use: place)
    group.get("orders/{order_id}", use: order)
    group.post("orders/{order_id}/cancel", use: cancel)
    group.post("orders/{order_id}/cancellations", use: quote)
    group.post("orders/{order_id}/cancellations/{quote_id}/confirm", use: takeUp)
  }

  @Sendable
  private func place(_ request: Request, _ context: APIContext) async throws -> Response {
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let (hold, account, method, email) = try body.faults.finish(
      body["hold_id"].identifier(HoldID.self), body["account_id"].identifier(AccountID.self),
      body["payment_method"].string(length: 1...128), body["email"].ifPresent { $0.email() })
    let id = OrderID(unchecked: key.uniqueID(of: "order"))
    let receipt: OrderingService.Receipt
    do throws(ServiceError) {
      receipt = try await ordering.place(
        id, hold: hold, account: account, paymentMethod: method, email: email, context.command)
    } catch .notFound("hold", _), .bookingRejected(.holdNotFound), .bookingRejected(.showNotScheduled) {
      throw Problem.notFound("hold", hold.rawValue).with {
        $0.errors = [Fault(.pointer("/hold_id"), "is not a hold")]
      }
    } catch .overloaded(let reason) {
      // The show is in the body, not in the path.
      guard let show = hold.show, let pressure = await booking.pressure(on: show) else {
        throw ServiceError.overloaded(reason)
      }
      throw Problem.overloaded(reason, pressure)
    }
    return try answer(receipt)
  }

  private func answer(_ receipt: OrderingService.Receipt) throws -> Response {
    let location = "/v1/orders/\(receipt.order.orderID)"
    if case .failed(let order, let reason) = receipt.state {
      throw Problem(
        .conflict, "order-failed",
        "Order \(order.orderID) failed: \(reason); hold seats again and place a new order"
      ).with {
        $0.order = order.orderID
        $0.reason = reason
        $0.headers[.location] = location
        $0.headers[.aislePosition] = receipt.position.description
      }
    }
    var response = try Response.json(OrderBody(receipt)).created(at: location, replayed: false).at(
      receipt.position)
    // Placed, but not seen through yet: whoever finishes it does so soon.
    if case .placed = receipt.state { response.status = .accepted }
    response.headers[.eTag] = EntityTag.version(receipt.version).description
    return response
  }

  /// From the order's stream, so it never lags.
  @Sendable
  private func order(_ request: Request, _ context: APIContext) async throws -> Response {
    let receipt = try await ordering.order(try context.identifier("order_id", OrderID.self))
    return try .json(OrderBody(receipt)).tagged(.version(receipt.version), for: request)
  }

  /// What cancelling would give back: the whole order, or the seats that the body names.
  @Sendable
  private func quote(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("order_id", OrderID.self)
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    var seats: [SeatID]?
    if body["seats"].isPresent {
      seats = try body.faults.finish(
        body["seats"].array(of: 1...Booking.maximumSeatsPerHold) { $0.identifier(SeatID.self) })
    }
    let quoteID = QuoteID(unchecked: key.uniqueID(of: "quote", in: id.rawValue))
    let receipt = try await ordering.quoteCancellation(of: id, seats: seats, as: quoteID, context.command)
    // The same key again, when another quote has been asked for since.
    guard let quote = receipt.quote, quote.quoteID == quoteID else {
      throw Problem(Ordering.Rejection.unknownQuote(id, quoteID))
    }
    return try .json(QuoteBody(quote))
      .created(at: "/v1/orders/\(id)/cancellations/\(quoteID)", replayed: false)
      .at(receipt.position)
  }

  /// Needs no Idempotency-Key: a quote is taken up once.
  @Sendable
  private func takeUp(_ request: Request, _ context: APIContext) async throws -> Response {
    let receipt = try await ordering.confirmCancellation(
      of: try context.identifier("order_id", OrderID.self),
      quote: try context.identifier("quote_id", QuoteID.self),
      context.command)
    var response = try Response.json(OrderBody(receipt))
    response.headers[.eTag] = EntityTag.version(receipt.version).description
    return response.at(try await store.head())
  }

  /// Needs no Idempotency-Key: a cancelled order stays cancelled, however often it is said.
  @Sendable
  private func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
    let receipt = try await ordering.cancel(try context.identifier("order_id", OrderID.self), context.command)
    var response = try Response.json(OrderBody(receipt))
    response.headers[.eTag] = EntityTag.version(receipt.version).description
    // The seats were freed after the order's last event; the end of the log has both.
    return response.at(try await store.head())
  }
}
