import AsyncHTTPClient
import Foundation
import NIOCore

/// Speaks to other systems. Nothing is kept between calls but connections: no cookies, no cache.
struct HTTPCaller: Sendable {
  /// Most bytes of an answer that are read.
  static let maximumAnswer = 1 << 20

  /// Of a whole exchange.
  let timeout: Duration

  /// - Returns: the status, whatever it is, and the body.
  func send(
    _ method: String, _ url: URL, headers: [String: String], _ body: [UInt8]?
  ) async throws -> (status: Int, body: [UInt8]) {
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = .init(rawValue: method)
    request.headers.add(name: "Content-Type", value: "application/json")
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(body) }
    // Not URLSession: cancelling one of its calls waits for a queue, and can stop every thread of the pool for good.
    let response = try await HTTPClient.shared.execute(
      request, deadline: .now() + TimeAmount(timeout))
    var answer: [UInt8] = []
    for try await part in response.body where answer.count < Self.maximumAnswer {
      answer += part.readableBytesView
    }
    return (Int(response.status.code), answer)
  }
}
