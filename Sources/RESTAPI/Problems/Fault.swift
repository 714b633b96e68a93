/// One thing that is wrong with a request, and where.
struct Fault: Sendable, Hashable, Encodable {
  enum Place: Sendable, Hashable {
    /// A JSON Pointer (RFC 6901) into the body; empty for the whole of it.
    case pointer(String)
    /// A name in the path or in the query.
    case parameter(String)
    case header(String)
  }

  let place: Place
  let message: String

  init(_ place: Place, _ message: String) {
    self.place = place
    self.message = message
  }

  private enum CodingKeys: String, CodingKey { case pointer, parameter, header, message }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch place {
    case .pointer(let pointer): try container.encode(pointer, forKey: .pointer)
    case .parameter(let name): try container.encode(name, forKey: .parameter)
    case .header(let name): try container.encode(name, forKey: .header)
    }
    try container.encode(message, forKey: .message)
  }
}

/// Gathers everything that is wrong with a request, so that one answer names it all.
final class Faults {
  private(set) var all: [Fault] = []
  private let limit: Int

  /// Fifty are enough for anybody to see what is going on.
  init(limit: Int = 50) { self.limit = limit }

  func add(_ place: Fault.Place, _ message: String) {
    if all.count < limit { all.append(Fault(place, message)) }
  }

  // The values that were read, if nothing at all was wrong. Read everything first: then the problem is complete.

  func finish<A>(_ a: A?) throws(Problem) -> A {
    guard all.isEmpty, let a else { throw .invalidRequest(all) }
    return a
  }

  func finish<A, B>(_ a: A?, _ b: B?) throws(Problem) -> (A, B) { (try finish(a), try finish(b)) }

  func finish<A, B, C>(_ a: A?, _ b: B?, _ c: C?) throws(Problem) -> (A, B, C) {
    (try finish(a), try finish(b), try finish(c))
  }

  func finish<A, B, C, D>(_ a: A?, _ b: B?, _ c: C?, _ d: D?) throws(Problem) -> (A, B, C, D) {
    (try finish(a), try finish(b), try finish(c), try finish(d))
  }
}
