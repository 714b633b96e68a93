import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Speaks to other systems. Nothing is kept between calls: no cookies, no cache.
struct HTTPCaller: Sendable {
  /// Most bytes of an answer that are looked at.
  static let maximumAnswer = 1 << 20

  private let session: URLSession

  /// - Parameter timeout: of a whole exchange.
  init(timeout: Duration) {
    let configuration = URLSessionConfiguration.ephemeral
    let seconds = Double(timeout.components.seconds) + Double(timeout.components.attoseconds) / 1e18
    configuration.timeoutIntervalForRequest = seconds
    configuration.timeoutIntervalForResource = seconds
    configuration.httpCookieStorage = nil
    configuration.urlCache = nil
    session = URLSession(configuration: configuration)
  }

  /// - Returns: the status, whatever it is, and the body.
  func send(
    _ method: String, _ url: URL, headers: [String: String], _ body: [UInt8]?
  ) async throws -> (status: Int, body: [UInt8]) {
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.httpBody = body.map { Data($0) }
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let (data, response) = try await session.data(for: request)
    guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
    return (response.statusCode, Array(data.prefix(Self.maximumAnswer)))
  }
}
