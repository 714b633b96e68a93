extension Money {
  /// The tax that is contained in this gross amount, at a rate of `basisPoints` on the net amount:
  /// amount × bp ÷ (10,000 + bp), rounded half to even, and the same for a refund as for its charge.
  public func taxIncluded(basisPoints: Int) throws(MoneyError) -> Money {
    guard (0...10_000).contains(basisPoints) else { throw .basisPointsOutOfRange(basisPoints) }
    let divisor = UInt64(10_000 + basisPoints)
    let (quotient, remainder) = share(of: UInt64(basisPoints), outOf: divisor)
    let twice = remainder * 2  // the remainder is below 20,000
    let roundsUp = twice > divisor || (twice == divisor && quotient % 2 == 1)
    return try signed(quotient + (roundsUp ? 1 : 0))
  }

  /// Splits the amount in proportion to `weights`, to the last minor unit, by the method of the largest
  /// remainder; among equal remainders the earlier weight gets the unit. The parts add up to the amount.
  public func allocated(by weights: [Int64]) throws(MoneyError) -> [Money] {
    var total: UInt64 = 0
    for weight in weights {
      guard weight >= 0 else { throw .unusableWeights }
      let (sum, overflow) = total.addingReportingOverflow(UInt64(weight))
      guard !overflow else { throw .overflow }
      total = sum
    }
    guard total > 0 else { throw .unusableWeights }

    let shares = weights.map { share(of: UInt64($0), outOf: total) }
    // Floors fall short of the amount by less than one unit per weight.
    let leftOver = Int(minorUnits.magnitude - shares.reduce(0) { $0 + $1.quotient })
    let byRemainder = shares.indices.sorted { left, right in
      (shares[right].remainder, left) < (shares[left].remainder, right)
    }
    var magnitudes = shares.map(\.quotient)
    for index in byRemainder.prefix(leftOver) { magnitudes[index] += 1 }

    var parts: [Money] = []
    parts.reserveCapacity(magnitudes.count)
    for magnitude in magnitudes { parts.append(try signed(magnitude)) }
    return parts
  }

  /// |amount| × part ÷ whole with a product of 128 bits. Since part ≤ whole, the quotient fits.
  private func share(of part: UInt64, outOf whole: UInt64) -> (quotient: UInt64, remainder: UInt64) {
    whole.dividingFullWidth(minorUnits.magnitude.multipliedFullWidth(by: part))
  }

  private func signed(_ magnitude: UInt64) throws(MoneyError) -> Money {
    guard minorUnits < 0 else {
      guard let positive = Int64(exactly: magnitude) else { throw .overflow }
      return Money(positive, currency)
    }
    guard magnitude <= Int64.min.magnitude else { throw .overflow }
    return Money(Int64(truncatingIfNeeded: 0 &- magnitude), currency)
  }
}
