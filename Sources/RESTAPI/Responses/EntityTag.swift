import Foundation
import Hummingbird
import Services

/// A validator of a representation (RFC 9110, section 8.8.3).
struct EntityTag: Sendable, Hashable, CustomStringConvertible {
  let value: String
  /// The tag names what is said, not its bytes.
  var isWeak = false

  init(_ value: String) { self.value = value }

  /// For what may be said in other bytes that mean the same.
  static func equivalent(_ value: String) -> EntityTag {
    var tag = EntityTag(value)
    tag.isWeak = true
    return tag
  }

  /// The version of the stream that says it all.
  static func version(_ version: Int64) -> EntityTag { EntityTag(String(version)) }

  /// For representations without a version: a digest of their bytes.
  static func digest(of body: [UInt8]) -> EntityTag {
    EntityTag(UUID.derived(from: String(decoding: body, as: UTF8.self)).uuidString.lowercased())
  }

  var description: String { isWeak ? "W/\(opaque)" : opaque }

  private var opaque: String { "\"\(value)\"" }

  /// Whether an `If-None-Match` names this tag. Weak comparison, as that header demands.
  func matches(_ header: String) -> Bool {
    header.split(separator: ",").contains { candidate in
      let tag = candidate.trimmingCharacters(in: .whitespaces)
      return tag == "*" || tag == opaque || tag == "W/\(opaque)"
    }
  }
}

extension Request {
  /// Whether the client has this representation already.
  func has(_ tag: EntityTag) -> Bool {
    headers[.ifNoneMatch].map(tag.matches) ?? false
  }
}

extension Response {
  static func notModified(_ tag: EntityTag) -> Response {
    Response(status: .notModified, headers: [.eTag: tag.description, .cacheControl: "no-cache"])
  }

  /// Makes an answer to a read conditional: with a tag, and without a body if the client has it already.
  func tagged(_ tag: EntityTag, for request: Request) -> Response {
    if request.has(tag) { return .notModified(tag) }
    var response = self
    response.headers[.eTag] = tag.description
    // Keep it, but ask whether it is still right.
    response.headers[.cacheControl] = "no-cache"
    return response
  }
}
