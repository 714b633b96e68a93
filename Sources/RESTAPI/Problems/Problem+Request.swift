import Hummingbird

// What can be wrong with a request before any service hears of it.
extension Problem {
  static func invalidRequest(_ faults: [Fault]) -> Problem {
    let parts = faults.prefix(3).map { fault in
      switch fault.place {
      case .pointer(""): "the body \(fault.message)"
      case .pointer(let pointer): "\(pointer) \(fault.message)"
      case .parameter(let name): "parameter \(name) \(fault.message)"
      case .header(let name): "header \(name) \(fault.message)"
      }
    }
    let more = faults.count > 3 ? "; and \(faults.count - 3) more" : ""
    return Problem(
      .badRequest, "invalid-request",
      "The request cannot be understood: \(parts.joined(separator: "; "))\(more)"
    ).with { $0.errors = faults }
  }

  static func invalidRequest(_ place: Fault.Place, _ message: String) -> Problem {
    invalidRequest([Fault(place, message)])
  }

  static func malformedJSON(_ message: String) -> Problem {
    Problem(.badRequest, "malformed-json", "The body is not a JSON document: \(message)")
      .with { $0.errors = [Fault(.pointer(""), "is not a JSON document: \(message)")] }
  }

  static func unreadableBody(_ error: any Error) -> Problem {
    Problem(.badRequest, "unreadable-body", "The body could not be read to its end; send it again")
      .with { $0.errors = [Fault(.pointer(""), "could not be read to its end: \(type(of: error))")] }
  }

  static func tooLarge(limit: Int) -> Problem {
    Problem(
      .contentTooLarge, "body-too-large", "The body is larger than \(limit) bytes, the most that is taken"
    )
    .with { $0.errors = [Fault(.pointer(""), "is larger than \(limit) bytes")] }
  }

  static func unsupportedMediaType(_ given: String) -> Problem {
    Problem(
      .unsupportedMediaType, "unsupported-media-type",
      "The body is sent as \"\(given.prefix(100))\"; send JSON in UTF-8 with Content-Type: application/json"
    ).with {
      $0.errors = [Fault(.header("Content-Type"), "must be application/json")]
      $0.headers[.accept] = "application/json"
    }
  }

  static func idempotencyKey(_ code: String, _ message: String) -> Problem {
    Problem(.badRequest, code, "Header Idempotency-Key \(message)")
      .with { $0.errors = [Fault(.header("Idempotency-Key"), message)] }
  }

  static func noSuchPath(_ path: String) -> Problem {
    Problem(
      .notFound, "no-such-path", "There is nothing at \(path.prefix(200)); see docs/rest.md for the paths")
  }

  static func methodNotAllowed(_ method: HTTPRequest.Method, allowed: String) -> Problem {
    Problem(
      .methodNotAllowed, "method-not-allowed",
      "This path does not take \(method.rawValue.prefix(20)); it takes \(allowed)"
    ).with { $0.headers[.allow] = allowed }
  }

  static func notFound(_ kind: String, _ id: String) -> Problem {
    Problem(.notFound, "\(kind)-not-found", "There is no \(kind) \(id)")
  }
}
