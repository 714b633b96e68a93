/// An exact amount in a currency, counted in its minor unit: `Money(4500, .eur)` is 45 euros.
///
/// Arithmetic either gives the exact answer or throws ``MoneyError``; it never wraps, traps or rounds
/// silently. In JSON it is `{"amount": 4500, "currency": "EUR"}`.
public struct Money: Sendable, Hashable {
  public let minorUnits: Int64
  public let currency: Currency

  public init(minorUnits: Int64, currency: Currency) {
    self.minorUnits = minorUnits
    self.currency = currency
  }

  public init(_ minorUnits: Int64, _ currency: Currency) {
    self.init(minorUnits: minorUnits, currency: currency)
  }

  public static func zero(_ currency: Currency) -> Money { Money(0, currency) }
}

/// Why an amount of money could not be computed.
public enum MoneyError: Error, Sendable, Hashable {
  /// Amounts in two currencies met.
  case currencyMismatch(Currency, Currency)
  /// The exact result does not fit into 64 bits of minor units.
  case overflow
  /// A tax rate outside of 0…10,000 basis points.
  case basisPointsOutOfRange(Int)
  /// No weights, a negative weight, or only zeros: nothing to allocate by.
  case unusableWeights
}

extension MoneyError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .currencyMismatch(let left, let right):
      "Amounts in \(left) and \(right) cannot be combined; convert one of them first"
    case .overflow: "The amount is too large: it must fit into 64 bits of minor units"
    case .basisPointsOutOfRange(let points):
      "A rate of \(points) basis points is out of range; use 0 to 10000"
    case .unusableWeights:
      "An amount is allocated by weights of which none is negative and at least one is positive"
    }
  }
}

extension Money {
  public func adding(_ other: Money) throws(MoneyError) -> Money {
    try requireSameCurrency(as: other)
    return try exact(minorUnits.addingReportingOverflow(other.minorUnits))
  }

  public func subtracting(_ other: Money) throws(MoneyError) -> Money {
    try requireSameCurrency(as: other)
    return try exact(minorUnits.subtractingReportingOverflow(other.minorUnits))
  }

  public func multiplied(by factor: Int64) throws(MoneyError) -> Money {
    try exact(minorUnits.multipliedReportingOverflow(by: factor))
  }

  public func negated() throws(MoneyError) -> Money {
    try Money.zero(currency).subtracting(self)
  }

  private func requireSameCurrency(as other: Money) throws(MoneyError) {
    guard currency == other.currency else { throw .currencyMismatch(currency, other.currency) }
  }

  private func exact(_ result: (partialValue: Int64, overflow: Bool)) throws(MoneyError) -> Money {
    guard !result.overflow else { throw .overflow }
    return Money(result.partialValue, currency)
  }
}

extension Money: CustomStringConvertible {
  /// For people, by integer arithmetic: `45.00 EUR`, `-0.05 EUR`, `4500 JPY`.
  public var formatted: String {
    let sign = minorUnits < 0 ? "-" : ""
    var digits = String(minorUnits.magnitude)
    guard currency.exponent > 0 else { return "\(sign)\(digits) \(currency)" }
    let missing = currency.exponent + 1 - digits.utf8.count
    if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
    return "\(sign)\(digits.dropLast(currency.exponent)).\(digits.suffix(currency.exponent)) \(currency)"
  }

  public var description: String { formatted }
}

extension Money: Codable {
  private enum CodingKeys: String, CodingKey {
    case minorUnits = "amount"
    case currency
  }
}
