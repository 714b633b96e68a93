/// A currency of ISO 4217, known by its alphabetic code, with the number of digits of its minor unit.
///
/// The table is the active list as of 2026 (funds codes included). Codes for which the standard names no
/// minor unit (precious metals, `XDR`, `XTS`, `XXX`…) are left out: amounts here are counted in minor units.
public struct Currency: Sendable, Hashable {
  public let code: String

  /// The minor unit is 1 / 10^exponent of the major one: 2 for EUR, 0 for JPY, 3 for KWD.
  public let exponent: Int

  /// `nil` for a code that is not in the table; upper case only.
  public init?(_ code: String) {
    guard let exponent = Currency.exponents[code] else { return nil }
    self.init(code: code, exponent: exponent)
  }

  private init(code: String, exponent: Int) {
    self.code = code
    self.exponent = exponent
  }

  public static let eur = Currency(code: "EUR", exponent: 2)
  public static let usd = Currency(code: "USD", exponent: 2)
  public static let gbp = Currency(code: "GBP", exponent: 2)
  public static let jpy = Currency(code: "JPY", exponent: 0)
  public static let kwd = Currency(code: "KWD", exponent: 3)

  /// Every known currency, by code.
  public static var all: [Currency] {
    exponents.map { Currency(code: $0.key, exponent: $0.value) }.sorted { $0.code < $1.code }
  }

  private static let exponents: [String: Int] = {
    let codesByExponent = [
      0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
      2: """
      AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF \
      CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
      HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU \
      MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR \
      SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED \
      VES WST XAD XCD XCG YER ZAR ZMW ZWG
      """,
      3: "BHD IQD JOD KWD LYD OMR TND",
      4: "CLF UYW",
    ]
    var exponents: [String: Int] = [:]
    for (exponent, codes) in codesByExponent {
      for code in codes.split(separator: " ") { exponents[String(code)] = exponent }
    }
    return exponents
  }()
}

extension Currency: CustomStringConvertible {
  public var description: String { code }
}

extension Currency: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let code = try container.decode(String.self)
    guard let currency = Currency(code) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\(code.quotedForMessage) is not an ISO 4217 currency code; write it like EUR")
    }
    self = currency
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(code)
  }
}
