import Booking
import Hummingbird
import Vocabulary

/// Why a request was not answered as asked: an RFC 9457 problem document.
///
/// Its `type` is `urn:aisle:problem:<code>`. Codes are stable; titles and details are for people.
struct Problem: Error, Sendable {
  let status: HTTPResponse.Status
  let code: String
  var detail: String
  /// Whether the same request may succeed when it is simply sent again.
  var retryable = false
  /// What is wrong with the request, and where.
  var errors: [Fault] = []
  /// The seats that somebody else has.
  var conflicts: [Booking.SeatConflict] = []
  /// The order that the request was about or that is in the way.
  var order: OrderID?
  /// Why that order failed.
  var reason: String?
  /// Where to wait for what was asked for.
  var queue: String?
  /// The currencies that there are bills in.
  var currencies: [Currency] = []
  /// When it is worth trying again, in seconds; also a header.
  var retryAfter: Int?
  /// Allowed methods, seconds to wait and the like.
  var headers = HTTPFields()

  init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
    self.status = status
    self.code = code
    self.detail = detail
  }

  /// The code as a sentence's beginning: `seats-unavailable` is "Seats unavailable".
  var title: String {
    let words = code.replacing("-", with: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  func with(_ change: (inout Problem) -> Void) -> Problem {
    var copy = self
    change(&copy)
    return copy
  }

  /// Nothing was done; the same request may be sent again after some seconds.
  func retry(after seconds: Int = 1) -> Problem {
    with {
      $0.retryable = true
      $0.retryAfter = seconds
      $0.headers[.retryAfter] = String(seconds)
    }
  }
}

extension Problem {
  /// - Parameter correlationID: names this occurrence; it is in the logs too.
  func response(correlationID: String) -> Response {
    let document = Document(problem: self, instance: "urn:uuid:\(correlationID)")
    // Strings and integers can always be encoded; a bare status is what is left if that ever changes.
    var response = (try? .json(document, status: status, type: .problem)) ?? Response(status: status)
    for field in headers { response.headers[field.name] = field.value }
    response.headers[.cacheControl] = "no-store"
    return response
  }

  private struct Document: Encodable {
    let problem: Problem
    let instance: String

    private struct Conflict: Encodable {
      let seat: SeatID
      let state: Booking.SeatConflict.Cause
    }

    private enum CodingKeys: String, CodingKey {
      case type, title, status, detail, instance, code, retryable, errors, conflicts, reason, currencies,
        queue
      case order = "order_id"
      case retryAfter = "retry_after_seconds"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode("urn:aisle:problem:\(problem.code)", forKey: .type)
      try container.encode(problem.title, forKey: .title)
      try container.encode(problem.status.code, forKey: .status)
      try container.encode(problem.detail, forKey: .detail)
      try container.encode(instance, forKey: .instance)
      try container.encode(problem.code, forKey: .code)
      try container.encode(problem.retryable, forKey: .retryable)
      try container.encodeIfPresent(problem.retryAfter, forKey: .retryAfter)
      if !problem.errors.isEmpty { try container.encode(problem.errors, forKey: .errors) }
      if !problem.conflicts.isEmpty {
        try container.encode(
          problem.conflicts.map { Conflict(seat: $0.seat, state: $0.state) }, forKey: .conflicts)
      }
      try container.encodeIfPresent(problem.order, forKey: .order)
      try container.encodeIfPresent(problem.reason, forKey: .reason)
      try container.encodeIfPresent(problem.queue, forKey: .queue)
      if !problem.currencies.isEmpty { try container.encode(problem.currencies, forKey: .currencies) }
    }
  }
}
