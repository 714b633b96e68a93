import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

/// What came back.
struct Answer: Sendable, CustomStringConvertible {
  let status: HTTPResponse.Status
  let headers: HTTPFields
  let body: [UInt8]

  init(_ response: TestResponse) {
    status = response.status
    headers = response.headers
    body = Array(response.body.readableBytesView)
  }

  var text: String { String(decoding: body, as: UTF8.self) }

  /// Null if the body is not JSON.
  var json: JSON { (try? JSON(body)) ?? .null }

  var description: String { "\(status.code) \(text)" }

  /// The same, if it has this status; anything else ends the test.
  @discardableResult
  func expecting(
    _ status: HTTPResponse.Status, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Answer {
    try #require(self.status == status, "\(self)", sourceLocation: sourceLocation)
    return self
  }
}

// Problem documents.
extension Answer {
  /// Expects a problem of this status and code, with everything that each problem has.
  ///
  /// - Parameter place: a JSON Pointer, parameter or header that has to be among its errors.
  @discardableResult
  func expectProblem(
    _ status: Int, _ code: String, at place: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) -> JSON {
    #expect(self.status.code == status, "\(self)", sourceLocation: sourceLocation)
    #expect(json["code"] == .string(code), "\(self)", sourceLocation: sourceLocation)
    #expect(flaws == [], "\(self)", sourceLocation: sourceLocation)
    if let place {
      let places = json["errors"].array.map(Self.place(of:))
      #expect(places.contains(place), "\(self)", sourceLocation: sourceLocation)
    }
    return json
  }

  /// What this lacks to be a well-formed problem document.
  var flaws: [String] {
    var flaws: [String] = []
    func check(_ isRight: Bool, _ what: String) { if !isRight { flaws.append(what) } }
    let problem = json
    let code = problem["code"].string ?? ""
    check(headers[.contentType] == "application/problem+json", "content type")
    check(headers[.cacheControl] == "no-store", "cache control")
    check(!code.isEmpty && code.allSatisfy { $0.isLowercase || $0 == "-" }, "code")
    check(problem["type"] == .string("urn:aisle:problem:\(code)"), "type")
    check(problem["status"] == .integer(Int64(status.code)), "status")
    check(problem["title"].string?.isEmpty == false, "title")
    check((problem["detail"].string?.count ?? 0) > 10, "detail")
    check(problem["instance"].string == headers[.requestID].map { "urn:uuid:\($0)" }, "instance")
    if case .bool = problem["retryable"] {} else { flaws.append("retryable") }
    for error in problem["errors"].array {
      check(Self.place(of: error) != nil && error["message"].string?.isEmpty == false, "errors: \(error)")
    }
    return flaws
  }

  /// Where an error of a problem document is.
  private static func place(of error: JSON) -> String? {
    error["pointer"].string ?? error["parameter"].string ?? error["header"].string
  }
}
