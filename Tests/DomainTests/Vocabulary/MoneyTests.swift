import Testing
import Vocabulary

@Suite("Money")
struct MoneyTests {
  @Test("adds, subtracts and multiplies exactly")
  func arithmetic() throws {
    #expect(try Money(4500, .eur).adding(Money(1, .eur)) == Money(4501, .eur))
    #expect(try Money(4500, .eur).subtracting(Money(4501, .eur)) == Money(-1, .eur))
    #expect(try Money(4500, .eur).multiplied(by: 3) == Money(13_500, .eur))
    #expect(try Money(4500, .eur).negated() == Money(-4500, .eur))
  }

  @Test("refuses to exceed 64 bits instead of wrapping")
  func overflow() {
    #expect(throws: MoneyError.overflow) { try Money(.max, .eur).adding(Money(1, .eur)) }
    #expect(throws: MoneyError.overflow) { try Money(.min, .eur).subtracting(Money(1, .eur)) }
    #expect(throws: MoneyError.overflow) { try Money(.max, .eur).multiplied(by: 2) }
    #expect(throws: MoneyError.overflow) { try Money(.min, .eur).negated() }
  }

  @Test("does not mix currencies")
  func currencies() {
    #expect(throws: MoneyError.currencyMismatch(.eur, .usd)) { try Money(1, .eur).adding(Money(1, .usd)) }
    #expect(throws: MoneyError.currencyMismatch(.eur, .usd)) {
      try Money(1, .eur).subtracting(Money(1, .usd))
    }
  }

  @Test(
    "is shown with the digits of its currency",
    arguments: [
      (Money(4500, .eur), "45.00 EUR"), (Money(-5, .eur), "-0.05 EUR"), (Money(0, .usd), "0.00 USD"),
      (Money(4500, .jpy), "4500 JPY"), (Money(-4500, .jpy), "-4500 JPY"), (Money(1, .kwd), "0.001 KWD"),
      (Money(.min, .gbp), "-92233720368547758.08 GBP"), (Money(.max, .kwd), "9223372036854775.807 KWD"),
    ])
  func formatted(_ money: Money, _ text: String) {
    #expect(money.formatted == text)
  }

  @Test(
    "contains a tax that is rounded half to even",
    arguments: [
      // amount × bp ÷ (10000 + bp)
      (4500, 1000, 409),  // 409.09…
      (11, 1000, 1),  // exactly 1
      (1, 10_000, 0),  // 0.5 → 0
      (3, 10_000, 2),  // 1.5 → 2
      (5, 10_000, 2),  // 2.5 → 2
      (7, 10_000, 4),  // 3.5 → 4
      (-1, 10_000, 0), (-3, 10_000, -2), (-5, 10_000, -2), (-7, 10_000, -4),
      (4500, 0, 0), (0, 2200, 0), (9900, 2200, 1785),  // 1785.245…
    ] as [(Int64, Int, Int64)])
  func tax(_ amount: Int64, _ basisPoints: Int, _ tax: Int64) throws {
    #expect(try Money(amount, .eur).taxIncluded(basisPoints: basisPoints) == Money(tax, .eur))
  }

  @Test("has no tax at a rate below 0 or above 100 %", arguments: [-1, 10_001, .min, .max])
  func taxRange(_ basisPoints: Int) {
    #expect(throws: MoneyError.basisPointsOutOfRange(basisPoints)) {
      try Money(1, .eur).taxIncluded(basisPoints: basisPoints)
    }
  }

  @Test("of any size contains a tax that is nearest to the exact one, even on a tie, and symmetric")
  func taxProperty() throws {
    var random = SeededRandom(for: "tax is the nearest integer, half to even")
    for _ in 0..<5_000 {
      let amount = random.anyInt64()
      let rate = Int.random(in: 0...10_000, using: &random)
      let tax = try Money(amount, .eur).taxIncluded(basisPoints: rate).minorUnits
      // |2·(amount·bp − tax·divisor)| ≤ divisor, compared as signed 128-bit products.
      let divisor = Int64(10_000 + rate)
      let exact = Product(amount, Int64(rate))
      let error = exact.minus(Product(tax, divisor))
      let twice = try #require(error.small).magnitude * 2
      #expect(twice <= UInt64(divisor), "\(amount) at \(rate)")
      if twice == UInt64(divisor) { #expect(tax.isMultiple(of: 2), "\(amount) at \(rate)") }
      if amount != .min {
        #expect(try Money(-amount, .eur).taxIncluded(basisPoints: rate).minorUnits == -tax)
      }
    }
  }

  @Test("is allocated by the largest remainder, the earlier part first on a tie")
  func allocation() throws {
    #expect(try Money(100, .eur).allocated(by: [1, 1, 1]).map(\.minorUnits) == [34, 33, 33])
    #expect(try Money(-100, .eur).allocated(by: [1, 1, 1]).map(\.minorUnits) == [-34, -33, -33])
    #expect(try Money(10, .eur).allocated(by: [1, 5, 0, 2]).map(\.minorUnits) == [1, 6, 0, 3])
    #expect(try Money(.min, .eur).allocated(by: [1]).map(\.minorUnits) == [.min])
    #expect(throws: MoneyError.unusableWeights) { try Money(1, .eur).allocated(by: []) }
    #expect(throws: MoneyError.unusableWeights) { try Money(1, .eur).allocated(by: [0, 0]) }
    #expect(throws: MoneyError.unusableWeights) { try Money(1, .eur).allocated(by: [2, -1]) }
  }

  @Test("allocated by any weights adds up to what it was, and no part is a unit off its share")
  func allocationProperty() throws {
    var random = SeededRandom(for: "allocated parts add up")
    for _ in 0..<5_000 {
      let money = Money(random.anyInt64(), .eur)
      let count = Int.random(in: 1...8, using: &random)
      let weights = (0..<count).map { _ in random.anyInt64() & 0x0FFF_FFFF_FFFF_FFFF }
      guard weights.contains(where: { $0 > 0 }) else { continue }
      let parts = try money.allocated(by: weights)
      #expect(try parts.reduce(.zero(.eur)) { try $0.adding($1) } == money)
      let total = weights.reduce(0, +)
      for (part, weight) in zip(parts, weights) {
        let error = Product(part.minorUnits, total).minus(Product(money.minorUnits, weight))
        #expect(error.magnitudeIsBelow(UInt64(total)), "\(money) by \(weights)")
      }
    }
  }

  @Test("is an object in JSON")
  func inJSON() throws {
    #expect(try json(Money(4500, .eur)) == #"{"amount":4500,"currency":"EUR"}"#)
    #expect(try decode(Money.self, from: #"{"amount":-1,"currency":"JPY"}"#) == Money(-1, .jpy))
    expectRefusal(
      of: #"{"amount":1,"currency":"EURO"}"#, as: Money.self, saying: #""EURO" is not an ISO 4217"#)
    #expect(throws: DecodingError.self) { try decode(Money.self, from: #"{"amount":0.5,"currency":"EUR"}"#) }
  }
}

/// A signed product of 128 bits in two's complement, for checking divisions without dividing.
private struct Product {
  let high: Int64
  let low: UInt64

  init(_ left: Int64, _ right: Int64) {
    let product = left.multipliedFullWidth(by: right)
    (high, low) = (product.high, product.low)
  }

  private init(high: Int64, low: UInt64) { (self.high, self.low) = (high, low) }

  func minus(_ other: Product) -> Product {
    let (low, borrow) = low.subtractingReportingOverflow(other.low)
    return Product(high: high &- other.high &- (borrow ? 1 : 0), low: low)
  }

  /// The value, when it fits into 64 bits.
  var small: Int64? {
    let value = Int64(bitPattern: low)
    return high == (value < 0 ? -1 : 0) ? value : nil
  }

  func magnitudeIsBelow(_ bound: UInt64) -> Bool {
    switch high {
    case 0: low < bound
    case -1: low != 0 && ~low &+ 1 < bound
    default: false
    }
  }
}
