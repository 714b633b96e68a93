import HTTPTypes

/// Which methods a path takes, for the answer to one that it does not take.
struct RouteTable: Sendable {
  private struct Route {
    /// nil stands for a parameter, which any text matches.
    let components: [String?]
    var methods: [HTTPRequest.Method]
  }

  private var routes: [Route] = []

  /// - Parameter routes: paths as the router describes them, parameters in braces.
  init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
    for route in routes {
      let components = route.path.split(separator: "/").map { $0.hasPrefix("{") ? nil : String($0) }
      if let index = self.routes.firstIndex(where: { $0.components == components }) {
        self.routes[index].methods.append(route.method)
      } else {
        self.routes.append(Route(components: components, methods: [route.method]))
      }
    }
  }

  func methods(at path: String) -> [HTTPRequest.Method] {
    let components = path.split(separator: "/").map(String.init)
    return routes.first { route in
      route.components.count == components.count
        && zip(route.components, components).allSatisfy { $0 == nil || $0 == $1 }
    }?.methods ?? []
  }
}
