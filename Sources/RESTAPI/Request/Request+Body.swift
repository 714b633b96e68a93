import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
  /// Most bytes of a request's body.
  static let maximumBodySize = 1 << 20

  /// The body as a JSON object.
  func jsonBody() async throws -> JSONNode {
    try requireJSON()
    let node = JSONNode(try parse(try await bytes()), faults: Faults())
    node.requireObject()
    return node
  }

  private func parse(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
    do throws(JSONSyntaxError) {
      return try JSONParser.parse(bytes)
    } catch {
      throw .malformedJSON(error.description)
    }
  }

  private func bytes() async throws -> [UInt8] {
    let limit = Self.maximumBodySize
    // Says no before the first byte has arrived, if the client tells how many will.
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw Problem.tooLarge(limit: limit)
    }
    do {
      let buffer = try await body.collect(upTo: limit)
      return Array(buffer.readableBytesView)
    } catch is NIOTooManyBytesError {
      throw Problem.tooLarge(limit: limit)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw Problem.unreadableBody(error)
    }
  }

  /// A missing Content-Type is taken for JSON, another one is not: `curl -d` says that it sends a form.
  private func requireJSON() throws(Problem) {
    guard let given = headers[.contentType] else { return }
    let parts = given.split(separator: ";", omittingEmptySubsequences: false).map {
      $0.filter { !$0.isWhitespace }.lowercased()
    }
    guard parts.first == "application/json" else { throw .unsupportedMediaType(given) }
    for parameter in parts.dropFirst() where parameter.hasPrefix("charset=") {
      guard ["charset=utf-8", "charset=\"utf-8\""].contains(parameter) else {
        throw .unsupportedMediaType(given)
      }
    }
  }
}
