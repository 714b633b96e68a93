import Billing
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Services
import Vocabulary

/// What goes with a request on its way: its correlation, its path parameters, its logger.
public struct APIContext: Hummingbird.RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// Goes into the metadata of every event that follows from the request.
  var command = Services.RequestContext()
  private let channel: any Channel

  public init(source: Source) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Of whoever has opened the connection: the client, or a proxy.
  var remoteAddress: String? { channel.remoteAddress?.ipAddress }

  /// Takes over what the client says about the request: `X-Request-ID` if it is a UUID, and the W3C trace context.
  mutating func correlate(with headers: HTTPFields) {
    command = Services.RequestContext(
      correlationID: headers[.xRequestID].flatMap(UUID.init(uuidString:)) ?? .timeOrdered(),
      traceparent: headers[.traceparent].flatMap { Self.isTraceparent($0) ? $0 : nil })
    logger[metadataKey: "correlation_id"] = "\(correlationID)"
  }

  var correlationID: String { command.correlationID.uuidString.lowercased() }

  /// `version-traceid-parentid-flags`, all in lower-case hexadecimal.
  private static func isTraceparent(_ text: String) -> Bool {
    text.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count) == [2, 32, 16, 2]
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}

// Path parameters. The router gives them as they were sent, percent escapes included.
extension APIContext {
  func identifier<Subject>(
    _ name: String, _: Identifier<Subject>.Type = Identifier<Subject>.self
  ) throws(Problem) -> Identifier<Subject> {
    try parameter(
      name, "an identifier of 1 to 128 characters out of A-Z a-z 0-9 . _ : -", Identifier.init(_:))
  }

  /// A name in lower-case letters, digits and hyphens.
  func text(_ name: String) throws(Problem) -> String {
    try parameter(name, "a name of 1 to 64 lower-case letters, digits and hyphens") { text in
      text.wholeMatch(of: /[a-z0-9-]{1,64}/) == nil ? nil : text
    }
  }

  func month() throws(Problem) -> Month {
    try parameter("month", Month.rule, Month.init(requested:))
  }

  func documentNumber() throws(Problem) -> DocumentNumber {
    try parameter("number", "the number of a document such as INV-2026-000042", DocumentNumber.init(_:))
  }

  private func parameter<Value>(
    _ name: String, _ rule: String, _ make: (String) -> Value?
  ) throws(Problem) -> Value {
    let text = parameters.get(name) ?? ""
    guard let value = text.percentDecoded().flatMap(make) else {
      throw .invalidRequest(.parameter(name), "is \"\(text.prefix(64))\"; it must be \(rule)")
    }
    return value
  }
}
