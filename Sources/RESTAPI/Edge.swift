import Hummingbird
import Logging
import Services

/// What happens to every request: it gets a correlation id, it is counted against its client's quota, whatever goes
/// wrong becomes a problem document, and it is counted and logged.
struct Edge: HTTPResponder {
  typealias Context = APIContext

  private let router: RouterResponder<APIContext>
  private let routes: RouteTable
  private let metrics: RequestMetrics
  private let limiter: RateLimiter
  private let logger: Logger

  init(router: Router<APIContext>, metrics: RequestMetrics, limiter: RateLimiter, logger: Logger) {
    self.router = router.buildResponder()
    // After the responder was built, because that adds the HEAD routes.
    routes = RouteTable(router.routes.map { (path: $0.path.description, method: $0.method) })
    self.metrics = metrics
    self.limiter = limiter
    self.logger = logger
  }

  func respond(to request: Request, context: APIContext) async throws -> Response {
    var context = context
    context.logger = logger
    context.correlate(with: request.headers)
    let start = ContinuousClock.now
    let standing = limiter.admit(request, from: context.remoteAddress)
    var response = await answer(request, context, standing)
    standing?.describe(in: &response.headers)
    response.headers[.xRequestID] = context.correlationID
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    record(request, response, context, after: .now - start)
    return response
  }

  private func answer(
    _ request: Request, _ context: APIContext, _ standing: RateLimiter.Standing?
  ) async -> Response {
    do {
      if let standing, !standing.isAdmitted { throw standing.problem }
      let response = try await router.respond(to: request, context: context)
      return context.isUnrouted ? try unrouted(request) : response
    } catch {
      let problem = Problem(error)
      if problem.status.code >= 500 {
        context.logger.error(
          "a request failed",
          metadata: ["error": "\(error)", "code": "\(problem.code)", "path": "\(request.uri.path)"])
      }
      let response = problem.response(correlationID: context.correlationID)
      return request.method == .head ? response.createHeadResponse() : response
    }
  }

  /// Nothing at this path, or nothing for this method.
  private func unrouted(_ request: Request) throws(Problem) -> Response {
    let methods = routes.methods(at: request.uri.path)
    guard !methods.isEmpty else { throw .noSuchPath(request.uri.path) }
    let allowed = (methods + [.options]).map(\.rawValue).sorted().joined(separator: ", ")
    guard request.method == .options else { throw .methodNotAllowed(request.method, allowed: allowed) }
    return Response(status: .noContent, headers: [.allow: allowed])
  }

  private func record(
    _ request: Request, _ response: Response, _ context: APIContext, after duration: Duration
  ) {
    let route = context.isUnrouted ? "unmatched" : context.endpointPath ?? "unmatched"
    metrics.record(method: request.method, route: route, status: response.status.code, duration)
    let isProbe = route.hasPrefix("/actuator")
    context.logger.log(
      level: isProbe ? .debug : .info, "request",
      metadata: [
        "method": "\(request.method.rawValue)", "route": "\(route)", "path": "\(request.uri.path)",
        "status": "\(response.status.code)", "duration_ms": "\(duration.milliseconds)",
      ])
  }
}

extension APIContext {
  /// The router's mark for a path or method that it does not know.
  fileprivate var isUnrouted: Bool { endpointPath == nil || endpointPath == "NotFound" }
}

extension Duration {
  /// In milliseconds, to the microsecond.
  fileprivate var milliseconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) * 1000 + Double(attoseconds / 1_000_000_000_000) / 1000
  }
}
