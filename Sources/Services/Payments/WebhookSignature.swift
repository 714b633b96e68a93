import Crypto
import Foundation
import Vocabulary

/// What both sides of a webhook know. Its text is in no log, error or answer.
public struct WebhookSecret: Sendable, CustomStringConvertible, CustomReflectable {
  /// Shorter ones can be guessed.
  public static let minimumLength = 16

  private let key: SymmetricKey

  /// nil if the text is too short.
  public init?(_ text: String) {
    guard text.utf8.count >= Self.minimumLength else { return nil }
    key = SymmetricKey(data: Array(text.utf8))
  }

  private init(_ key: SymmetricKey) { self.key = key }

  /// For a process that talks to itself.
  public static func random() -> WebhookSecret { WebhookSecret(SymmetricKey(size: .bits256)) }

  public var description: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  fileprivate func code(of bytes: [UInt8]) -> HMAC<SHA256>.MAC {
    HMAC<SHA256>.authenticationCode(for: bytes, using: key)
  }

  /// Takes the same time whatever is wrong.
  fileprivate func accepts(_ code: [UInt8], of bytes: [UInt8]) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: bytes, using: key)
  }

  /// What a client of the provider shows that it is one. Whoever sees it cannot sign webhooks.
  public var apiKey: String { code(of: Array("api-key".utf8)).hexadecimal }
}

/// The header of a signed webhook: `t=1700000000,v1=<HMAC-SHA256 of "t.body" in hexadecimal>`.
///
/// The time is signed too, so a message that was overheard cannot be sent again after ``tolerance``.
public enum WebhookSignature {
  public static let header = "Aisle-Signature"

  /// How far the clocks of both sides may be apart, the message's way included.
  public static let tolerance = Duration.seconds(300)

  public enum Problem: Error, Sendable, Hashable {
    case malformed
    /// Older, or of a later time, than ``tolerance`` allows.
    case expired
    case wrong
  }

  public static func sign(_ body: [UInt8], at now: Timestamp, with secret: WebhookSecret) -> String {
    let seconds = now.wholeSeconds
    return "t=\(seconds),v1=\(secret.code(of: signed(body, at: seconds)).hexadecimal)"
  }

  /// Several `v1` may be there while a secret is changed; one of them has to be right. Other parts are ignored.
  public static func verify(
    _ header: String, of body: [UInt8], at now: Timestamp, with secret: WebhookSecret
  ) throws(Problem) {
    var seconds: Int?
    var codes: [[UInt8]] = []
    for part in header.split(separator: ",").prefix(10) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { throw .malformed }
      switch pair[0].trimmingCharacters(in: .whitespaces) {
      case "t": seconds = Int(pair[1])
      case "v1": if let code = [UInt8](hexadecimal: pair[1]) { codes.append(code) }
      default: break
      }
    }
    guard let seconds, (0...4_102_444_800).contains(seconds), !codes.isEmpty else { throw .malformed }
    let age = now - Timestamp(microseconds: Int64(seconds) * 1_000_000)
    guard age <= tolerance, age >= .zero - tolerance else { throw .expired }
    let bytes = signed(body, at: seconds)
    guard codes.contains(where: { secret.accepts($0, of: bytes) }) else { throw .wrong }
  }

  private static func signed(_ body: [UInt8], at seconds: Int) -> [UInt8] { Array("\(seconds).".utf8) + body }
}

extension Sequence<UInt8> {
  /// In lower-case hexadecimal.
  fileprivate var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}

extension [UInt8] {
  fileprivate init?(hexadecimal text: Substring) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    self = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
        return nil
      }
      append(byte)
    }
  }
}
