import Glibc

/// An address of a machine, as 4 or 16 bytes.
struct IPAddress: Sendable, Hashable {
  let bytes: [UInt8]

  /// nil if the text is no IPv4 or IPv6 address. An IPv4 address inside an IPv6 one is the IPv4 address.
  init?(_ text: some StringProtocol) {
    // A zone, as in fe80::1%eth0, names this machine's interface.
    let text = String(text.prefix { $0 != "%" })
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      bytes = withUnsafeBytes(of: &four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      let all = withUnsafeBytes(of: &six) { Array($0) }
      let isMapped = all.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
      bytes = isMapped ? Array(all.suffix(4)) : all
    } else {
      return nil
    }
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// Whom it belongs to, as far as can be told: an IPv6 customer has a whole /64.
  var client: IPAddress {
    bytes.count == 4
      ? self : IPAddress(bytes: Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8))
  }
}

/// Addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or a single one, `127.0.0.1`.
public struct AddressBlock: Sendable, Hashable {
  private let address: IPAddress
  private let length: Int

  /// nil if the text is no such block.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parts[0]) else { return nil }
    let bits = address.bytes.count * 8
    guard let length = parts.count == 1 ? bits : Int(parts[1]), (0...bits).contains(length) else {
      return nil
    }
    self.address = address
    self.length = length
  }

  func contains(_ other: IPAddress) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    let whole = length / 8
    guard other.bytes.prefix(whole) == address.bytes.prefix(whole) else { return false }
    guard length % 8 > 0 else { return true }
    let mask = UInt8.max << UInt8(8 - length % 8)
    return other.bytes[whole] & mask == address.bytes[whole] & mask
  }
}
