import Booking
import Vocabulary

/// The body of `POST /v1/shows`.
struct ShowRequest {
  /// nil: the id is derived from the Idempotency-Key.
  let showID: ShowID?
  let title: String
  let startsAt: Timestamp
  let currency: Currency
  let taxRateBasisPoints: Int64
  let holdTTLSeconds: Int64
  let plan: SeatPlan.Document
  let policy: Booking.Policy

  static let defaultHoldTTLSeconds: Int64 = 600
  /// Hold ids are `<show>:<UUID>` and have at most 128 characters themselves.
  static let maximumIDLength = 128 - 37

  init(_ body: JSONNode) throws(Problem) {
    let showID = Self.showID(body["show_id"])
    let title = body["title"].string(length: 1...200)
    let startsAt = body["starts_at"].timestamp()
    let currency = body["currency"].currency()
    let taxRate = body["tax_rate_bp"].integer(Booking.taxRateBasisPoints.int64, default: 0)
    let ttl = body["hold_ttl_seconds"].integer(
      Booking.holdTTLSeconds.int64, default: Self.defaultHoldTTLSeconds)
    let plan = PlanReader(currency: currency).plan(body)
    let policy = Self.policy(body["policy"])
    (self.showID, self.title, self.startsAt, self.currency) =
      try body.faults.finish(showID, title, startsAt, currency)
    (taxRateBasisPoints, holdTTLSeconds, self.plan, self.policy) =
      try body.faults.finish(taxRate, ttl, plan, policy)
  }

  func schedule(as derivedID: ShowID) -> Booking.Schedule {
    Booking.Schedule(
      showID: showID ?? derivedID, title: title, startsAt: startsAt, currency: currency,
      taxRateBasisPoints: Int(taxRateBasisPoints), holdTTLSeconds: Int(holdTTLSeconds),
      sections: plan.sections,
      categories: plan.categories, focalPoint: plan.focalPoint, policy: policy)
  }

  private static func policy(_ node: JSONNode) -> Booking.Policy? {
    guard node.isPresent else { return .standard }
    node.requireObject()
    var policy = Booking.Policy.standard
    if node["orphans"].isPresent { policy.orphans = node["orphans"].choice() ?? .allowed }
    func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
      node[name].isPresent ? node[name].integer(range.int64).map(Int.init) : nil
    }
    policy.seatsPerBuyer = integer("seats_per_buyer", Booking.seatsPerBuyer)
    policy.holdLifetimeSeconds = integer("hold_lifetime_seconds", Booking.holdLifetimeSeconds)
    policy.offerSeconds = integer("offer_seconds", Booking.offerSeconds) ?? policy.offerSeconds
    return policy
  }

  private static func showID(_ node: JSONNode) -> ShowID?? {
    guard node.isPresent else { return .some(nil) }
    guard let id = node.identifier(ShowID.self) else { return nil }
    guard id.rawValue.utf8.count <= maximumIDLength else {
      node.reject("has \(id.rawValue.utf8.count) characters; a show's id has at most \(maximumIDLength)")
      return nil
    }
    return id
  }
}

extension ClosedRange<Int> {
  var int64: ClosedRange<Int64> { Int64(lowerBound)...Int64(upperBound) }
}
