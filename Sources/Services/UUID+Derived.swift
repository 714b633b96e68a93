import Crypto
import Foundation

extension UUID {
  /// The same id for the same parts, every time and everywhere: the first 16 bytes of their SHA-256 as a version 8
  /// UUID (RFC 9562). For ids that a retry must find again.
  public static func derived(from parts: String...) -> UUID {
    var hash = SHA256()
    for part in parts {
      hash.update(data: Data("\(part.utf8.count):".utf8))
      hash.update(data: Data(part.utf8))
    }
    var bytes = Array(hash.finalize().prefix(16))
    bytes[6] = 0x80 | bytes[6] & 0x0F
    bytes[8] = 0x80 | bytes[8] & 0x3F
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
