import Foundation
import HTTPTypes
import Hummingbird
import Services

/// What makes a repeated POST the same request: the ids of what it creates are derived from it.
struct IdempotencyKey: Sendable, Hashable {
  static let maximumLength = 255

  let text: String

  /// The unique part of the id of whatever `kind` is created under this key.
  func uniqueID(of kind: String, in scope: String = "") -> String {
    UUID.derived(from: kind, scope, text).uuidString.lowercased()
  }
}

extension Request {
  func idempotencyKey() throws(Problem) -> IdempotencyKey {
    guard let text = headers[.idempotencyKey], !text.isEmpty else {
      throw .idempotencyKey(
        "idempotency-key-missing",
        "is missing; send a new random value with each new request, and the same value when you repeat it")
    }
    guard text.utf8.count <= IdempotencyKey.maximumLength,
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else {
      throw .idempotencyKey(
        "idempotency-key-invalid",
        "must have 1 to \(IdempotencyKey.maximumLength) visible ASCII characters and be sent once")
    }
    return IdempotencyKey(text: text)
  }
}
