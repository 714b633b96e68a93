import Crypto
import Foundation
import Vocabulary

/// The right of one buyer to hold seats of one show for a while: the place that was admitted, until when, and a code that
/// only who knows the room's key can make.
///
/// Its text is `<place>.<seconds since 1970>.<HMAC-SHA256 in base64url>`. Without the key nobody can make one up, and
/// nobody can use somebody else's: show and buyer are under the code, too. Whether it has ended early, only the room
/// knows.
public struct Admission: Sendable, Hashable {
  public let place: PlaceID
  public let expiresAt: Timestamp
  let code: [UInt8]

  /// Signs.
  init(_ place: PlaceID, of show: ShowID, buyer: String, until end: Timestamp, with key: SymmetricKey) {
    self.place = place
    expiresAt = Timestamp(microseconds: Int64(end.wholeSeconds) * 1_000_000)
    code = Array(
      HMAC<SHA256>.authenticationCode(
        for: Self.signed(place, show, buyer, expiresAt), using: key))
  }

  /// nil if the text is not of that form.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard text.utf8.count <= 256, parts.count >= 3, let seconds = Int64(parts[parts.count - 2]),
      (0...4_102_444_800).contains(seconds), let code = [UInt8](base64url: parts[parts.count - 1]),
      let place = PlaceID(parts.dropLast(2).joined(separator: "."))
    else { return nil }
    self.place = place
    expiresAt = Timestamp(microseconds: seconds * 1_000_000)
    self.code = code
  }

  public var text: String { "\(place).\(expiresAt.wholeSeconds).\(code.base64url)" }

  /// Whether it was made with this key for this show and buyer. Takes the same time whatever is wrong with the code.
  func isGenuine(of show: ShowID, buyer: String, with key: SymmetricKey) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(
      code, authenticating: Self.signed(place, show, buyer, expiresAt), using: key)
  }

  private static func signed(
    _ place: PlaceID, _ show: ShowID, _ buyer: String, _ end: Timestamp
  ) -> [UInt8] {
    // No identifier has a line break, so no two admissions give the same text.
    Array("aisle-admission\n\(show)\n\(place)\n\(buyer)\n\(end.wholeSeconds)".utf8)
  }
}

extension WaitingRoom {
  /// Stands for a buyer in the table, whose name is not stored there.
  func alias(of buyer: BuyerID) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Array("aisle-buyer\n\(buyer)".utf8), using: key)
    return Array(code.prefix(16)).base64url
  }

  func admission(_ place: PlaceID, of buyer: String, until end: Timestamp) -> Admission {
    Admission(place, of: show, buyer: buyer, until: end, with: key)
  }
}

extension PlaceID {
  /// A place names its show, like a hold does.
  public static func make(show: ShowID, unique: String) -> PlaceID? { PlaceID("\(show):\(unique)") }

  public var show: ShowID? { HoldID(unchecked: rawValue).show }
}

extension [UInt8] {
  fileprivate var base64url: String {
    Data(self).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  fileprivate init?(base64url text: Substring) {
    var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
    base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: String(base64)) else { return nil }
    self = Array(data)
  }
}
