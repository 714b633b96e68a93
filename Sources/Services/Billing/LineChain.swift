import Crypto
import Vocabulary

/// The digest of a bill: a chain of SHA-256 over its lines in the order of position and line number.
///
/// `d₀` is empty and `dₙ = SHA-256(dₙ₋₁ ‖ lineₙ)`, where a line is this text in UTF-8, amounts in minor units and
/// the instant in microseconds since 1970:
/// ```
/// position|line_no|charge or refund|order_id|show_id|seat|amount|tax|currency|occurred_at
/// ```
/// The line of an adjustment goes on with `|service_month|corrects`. No field can contain the separator. A chain, not a hash of the whole text, because a new line extends it without
/// the old ones being read. The same in SQL is the aggregate `aisle.line_chain`.
public struct LineChain: Sendable, Hashable {
  /// 32 bytes; none before the first line.
  public private(set) var digest: [UInt8]

  public init() { digest = [] }

  init(digest: [UInt8]) { self.digest = digest }

  public mutating func add(_ line: BillLine) {
    var hash = SHA256()
    hash.update(data: digest)
    hash.update(
      data: Array(
        """
        \(line.position)|\(line.lineNumber)|\(line.kind.rawValue)|\(line.orderID)|\(line.showID)|\(line.seat)|\
        \(line.amount.minorUnits)|\(line.tax.minorUnits)|\(line.amount.currency)|\(line.occurredAt.microseconds)
        """.utf8))
    if let adjustment = line.adjustment {
      hash.update(data: Array("|\(adjustment.serviceMonth)|\(adjustment.corrects)".utf8))
    }
    digest = Array(hash.finalize())
  }
}

extension LineChain: CustomStringConvertible {
  /// In lower-case hexadecimal.
  public var description: String {
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
