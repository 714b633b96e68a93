import EventStore
import Hummingbird
import Services
import Vocabulary

/// The lists of all shows and of all orders. They may be long, so they are reports.
struct ListsResource: Sendable {
  let readModels: ReadModels
  let gate: ReadGate

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("shows", use: shows)
    group.get("orders", use: orders)
  }

  @Sendable
  private func shows(_ request: Request, _ context: APIContext) async throws -> Response {
    let query = Query(request)
    let (limit, start) = try query.faults.finish(
      query.limit(), query.cursor(of: .shows, default: Position.start) { Int64($0).map(Position.init) })
    try await gate.pass(request, for: "shows")
    let shows = try await readModels.shows(after: start, limit: limit + 1)
    let page = Page(shows, limit: limit, list: .shows, position: \.position) { ShowBody($0).withoutSections }
    return try .json(page, unlessKnownBy: request)
  }

  @Sendable
  private func orders(_ request: Request, _ context: APIContext) async throws -> Response {
    let query = Query(request)
    let (limit, start) = try query.faults.finish(
      query.limit(), query.cursor(of: .orders, default: Position.start) { Int64($0).map(Position.init) })
    try await gate.pass(request, for: "orders")
    let orders = try await readModels.orders(after: start, limit: limit + 1)
    return try .json(
      Page(orders, limit: limit, list: .orders, position: \.position, item: OrderBody.init),
      unlessKnownBy: request)
  }
}
