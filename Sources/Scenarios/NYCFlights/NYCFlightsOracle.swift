import Vocabulary

/// What each carrier has to be billed, by arithmetic on the data alone: nothing of Booking, Ordering, Billing or the
/// log. The month is the local date of the data.
public struct NYCFlightsOracle: Sendable {
  public struct Total: Sendable, Hashable, Codable {
    public var gross: Int64 = 0
    public var tax: Int64 = 0
    public var refunds: Int64 = 0
    public var lines = 0

    public init(gross: Int64 = 0, tax: Int64 = 0, refunds: Int64 = 0, lines: Int = 0) {
      self.gross = gross
      self.tax = tax
      self.refunds = refunds
      self.lines = lines
    }
  }

  /// By month such as `2013-01`, then by carrier.
  public let totals: [String: [String: Total]]

  public init(_ data: NYCFlightsData, days: [String]) throws {
    var totals: [String: [String: Total]] = [:]
    for flight in try data.flights(on: days) {
      let sold = flight.groups.reduce(0, +)
      let charged = Int64(sold) * flight.price
      var total = totals[String(flight.date.prefix(7)), default: [:]][flight.carrier, default: Total()]
      total.gross += charged
      total.lines += flight.isCancelled ? 2 * sold : sold
      if flight.isCancelled {
        total.refunds += charged
      } else {
        total.tax += Int64(sold) * Self.taxContained(in: flight.price)
      }
      totals[String(flight.date.prefix(7)), default: [:]][flight.carrier] = total
    }
    self.totals = totals
  }

  /// price × 750 ÷ 10,750, rounded half to even.
  private static func taxContained(in price: Int64) -> Int64 {
    let (quotient, rest) = (price * 750).quotientAndRemainder(dividingBy: 10_750)
    if 2 * rest > 10_750 { return quotient + 1 }
    return 2 * rest == 10_750 ? quotient + quotient % 2 : quotient
  }
}
