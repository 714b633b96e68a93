import Crypto
import Foundation
import Vocabulary

/// The form in which personal data stands in the log:
/// `{"$sealed": {"box": "<base64 of nonce, ciphertext and tag>", "key": "<key id>"}}`.
///
/// AES-256-GCM with a fresh nonce. The tag also covers the tenant, the event's id and type and the field's name, so a
/// ciphertext that is moved elsewhere does not open.
struct SealedField {
  static let marker = Array(#""$sealed""#.utf8)

  let keyID: UUID
  let box: [UInt8]

  /// Where a field stands.
  struct Place {
    let tenant: TenantID
    let event: UUID
    let type: String
    let field: String

    fileprivate var authenticated: [UInt8] {
      Array(
        "aisle:1|\(tenant.rawValue)|\(event.uuidString.lowercased())|\(type.utf8.count):\(type)|\(field)".utf8
      )
    }
  }

  /// nil if the value is not a sealed one.
  init?(_ value: ArraySlice<UInt8>) {
    // Every event that is read passes here, and what stands in the log was written by `json`: bytes suffice.
    let value = Array(value)
    guard let range = PayloadFields(value)?.values["$sealed"] else { return nil }
    let sealed = Array(value[range])
    guard let fields = PayloadFields(sealed)?.values,
      let key = fields["key"].flatMap({ UUID(uuidString: Self.text(sealed[$0])) }),
      let box = fields["box"].flatMap({ Data(base64Encoded: Self.text(sealed[$0])) })
    else { return nil }
    keyID = key
    self.box = Array(box)
  }

  /// What is between the quotes of a text without escapes.
  private static func text(_ value: ArraySlice<UInt8>) -> String {
    String(decoding: value.dropFirst().dropLast(), as: UTF8.self)
  }

  /// Seals a JSON value of any kind.
  init(sealing value: ArraySlice<UInt8>, at place: Place, with key: SubjectKey) throws {
    let sealed = try AES.GCM.seal(value, using: key.key, authenticating: place.authenticated)
    guard let combined = sealed.combined else { throw CryptoKitError.incorrectParameterSize }
    keyID = key.id
    box = Array(combined)
  }

  /// The JSON value; throws if the field was altered or moved.
  func open(at place: Place, with key: SubjectKey) throws -> [UInt8] {
    Array(try AES.GCM.open(.init(combined: box), using: key.key, authenticating: place.authenticated))
  }

  var json: [UInt8] {
    let box = Data(box).base64EncodedString()
    return Array(#"{"$sealed": {"box": "\#(box)", "key": "\#(keyID.uuidString.lowercased())"}}"#.utf8)
  }
}

/// The key of one person's data.
struct SubjectKey: Sendable {
  let id: UUID
  let key: SymmetricKey
}

/// A sealed field of the log does not open although its key is there: it was altered, or moved from another event.
public struct SealedFieldDamaged: Error, Sendable, CustomStringConvertible {
  public let eventID: UUID
  public let position: Position
  public let field: String

  public var description: String {
    "field \(field) of event \(eventID.uuidString.lowercased()) at position \(position) was altered since it was "
      + "sealed, or comes from another event. Compare with a backup"
  }
}
