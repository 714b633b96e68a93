import Vocabulary

/// What is kept of the price when a buyer cancels, by how long before the show that is.
public struct CancellationPolicy: Sendable, Hashable {
  /// From this long before the show on, this part of the price is kept.
  public struct Tier: Sendable, Hashable {
    public let hours: Int
    public let feeBasisPoints: Int

    public init(hours: Int, feeBasisPoints: Int) {
      self.hours = hours
      self.feeBasisPoints = feeBasisPoints
    }
  }

  /// The longest notice first.
  public let tiers: [Tier]

  /// nil unless there is at least one tier, no notice twice, and fees from 0 to 10,000 basis points.
  public init?(_ tiers: [Tier]) {
    guard !tiers.isEmpty, Set(tiers.map(\.hours)).count == tiers.count,
      tiers.allSatisfy({ (0...100_000).contains($0.hours) && (0...10_000).contains($0.feeBasisPoints) })
    else { return nil }
    self.tiers = tiers.sorted { $0.hours > $1.hours }
  }

  /// Free until the show begins.
  public static let free = CancellationPolicy(sorted: [Tier(hours: 0, feeBasisPoints: 0)])

  private init(sorted tiers: [Tier]) { self.tiers = tiers }

  /// From `168=0,24=1000,0=5000`: nothing is kept up to a week before, then 10 %, and half of it on the last day.
  public init?(_ text: String) {
    var tiers: [Tier] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", omittingEmptySubsequences: false)
      guard pair.count == 2, let hours = Int(pair[0]), let fee = Int(pair[1]) else { return nil }
      tiers.append(Tier(hours: hours, feeBasisPoints: fee))
    }
    self.init(tiers)
  }

  /// nil if it is too late to cancel.
  public func feeBasisPoints(at now: Timestamp, before start: Timestamp) -> Int? {
    tiers.first { now + .seconds($0.hours * 3600) <= start }?.feeBasisPoints
  }
}
