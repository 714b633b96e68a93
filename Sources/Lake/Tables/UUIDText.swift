import struct Foundation.UUID
import typealias Foundation.uuid_t

/// UUIDs in lower case, which Foundation's own conversions are too slow for here.
enum UUIDText {
  private static let digits = Array("0123456789abcdef".utf8)

  /// `text` has room for 36 bytes.
  static func write(_ id: UUID, to text: UnsafeMutableRawBufferPointer) {
    var at = 0
    withUnsafeBytes(of: id.uuid) { bytes in
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 {
          text[at] = .minus
          at += 1
        }
        text[at] = digits[Int(bytes[index] >> 4)]
        text[at + 1] = digits[Int(bytes[index] & 15)]
        at += 2
      }
    }
  }

  /// nil unless the text is as `write` writes it.
  static func read(_ text: ArraySlice<UInt8>) -> UUID? {
    guard text.count == 36 else { return nil }
    var id: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    let isValid = withUnsafeMutableBytes(of: &id) { bytes in
      var digits = 0
      for (index, byte) in text.enumerated() {
        if index == 8 || index == 13 || index == 18 || index == 23 {
          if byte != .minus { return false }
          continue
        }
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        default: return false
        }
        bytes[digits / 2] = bytes[digits / 2] << 4 | digit
        digits += 1
      }
      return true
    }
    return isValid ? UUID(uuid: id) : nil
  }
}
