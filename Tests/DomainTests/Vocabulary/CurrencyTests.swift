import Foundation
import Subprocess
import SystemPackage
import Testing
import Vocabulary

@Suite("A currency")
struct CurrencyTests {
  /// ISO 4217's minor units other than 2.
  static let unusual: [String: Int] = [
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
  ]

  @Test("has two digits after the point, except those that ISO 4217 lists with another number")
  func exponents() {
    #expect(Currency.all.count == 165)
    for currency in Currency.all {
      #expect(currency.exponent == Self.unusual[currency.code] ?? 2, "\(currency)")
    }
    #expect(Set(Self.unusual.keys).isSubset(of: Currency.all.map(\.code)))
  }

  @Test("has the minor unit that another table of ISO 4217 gives it")
  func secondOpinion() async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let result = try await Subprocess.run(
      .path(FilePath(root.appending(path: "bin/second-opinion").path)), arguments: ["currencies"],
      input: .none,
      output: .string(limit: 1 << 16), error: .currentStandardError)
    #expect(result.terminationStatus.isSuccess)
    let theirs = result.standardOutput.split(separator: "\n").map(String.init)
    #expect(Set(theirs) == Set(Currency.all.map { "\($0.code) \($0.exponent)" }))
  }

  @Test("that everyone uses has a name here", arguments: [Currency.eur, .usd, .gbp, .jpy, .kwd])
  func named(_ currency: Currency) {
    #expect(Currency(currency.code) == currency)
  }

  @Test(
    "is refused when it is no currency, is retired, or has no minor unit",
    arguments: [
      "", "eur", "EU", "EURO", "XXX", "XTS", "XAU", "XDR", "DEM", "HRK", "BGN", "ANG", "ZWL", "ÉUR",
    ])
  func refused(_ code: String) {
    #expect(Currency(code) == nil)
  }

  @Test("is its code in JSON")
  func inJSON() throws {
    #expect(
      try json(Currency.all) == "[" + Currency.all.map { "\"\($0.code)\"" }.joined(separator: ",") + "]")
    #expect(try decode([Currency].self, from: #"["JPY"]"#) == [.jpy])
  }
}
