import EventStore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a body is.
enum MediaType: String {
  case json = "application/json"
  case problem = "application/problem+json"
  case cloudEvents = "application/cloudevents-batch+json"
  case svg = "image/svg+xml"
  case eventStream = "text/event-stream"
  case prometheus = "text/plain; version=0.0.4; charset=utf-8"
}

extension Response {
  static func json(
    _ value: some Encodable, status: HTTPResponse.Status = .ok, type: MediaType = .json
  ) throws -> Response {
    Response(status: status, bytes: try PayloadEncoder().encode(value), type: type)
  }

  /// An answer to a read that is its own validator: not sent again to a client that has it.
  static func json(_ value: some Encodable, unlessKnownBy request: Request) throws -> Response {
    // A value gives its fields in one order, so the same content is the same bytes and has the same digest.
    let body = try PayloadEncoder().encode(value)
    return Response(bytes: body, type: .json).tagged(.digest(of: body), for: request)
  }

  init(status: HTTPResponse.Status = .ok, bytes: some Sequence<UInt8> & Sendable, type: MediaType) {
    self.init(
      status: status, headers: [.contentType: type.rawValue],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// Tells the client from where on a read model contains what it did; see ``ReadGate``.
  func at(_ position: Position) -> Response {
    var response = self
    response.headers[.aislePosition] = position.description
    return response
  }

  func created(at location: String, replayed: Bool) -> Response {
    var response = self
    response.status = .created
    response.headers[.location] = location
    if replayed { response.headers[.idempotentReplayed] = "true" }
    return response
  }
}

extension HTTPField.Name {
  // The initialiser is failable for names that are not tokens; these are.
  static let xRequestID = HTTPField.Name("X-Request-ID")!
  static let traceparent = HTTPField.Name("traceparent")!
  static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
  static let idempotentReplayed = HTTPField.Name("Idempotent-Replayed")!
  static let lastEventID = HTTPField.Name("Last-Event-ID")!
  static let link = HTTPField.Name("Link")!
  /// Of a write's last event, in answers.
  static let aislePosition = HTTPField.Name("X-Aisle-Position")!
  /// What a read model must have reached, in requests.
  static let aisleMinPosition = HTTPField.Name("X-Aisle-Min-Position")!
  /// Of a buyer whom a waiting room has let in, in requests for holds.
  static let aisleAdmission = HTTPField.Name("X-Aisle-Admission")!
  static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
