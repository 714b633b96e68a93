import Vocabulary

extension Booking.Schedule {
  /// The fact that the show is on sale, unless something about it has to be mended; then all of that.
  func validated(at now: Timestamp) throws(Booking.Rejection) -> Booking.ShowScheduled {
    var problems: [String] = []
    if !(1...200).contains(title.count) {
      problems.append("The title has \(title.count) characters; use 1 to 200")
    }
    if !Booking.taxRateBasisPoints.contains(taxRateBasisPoints) {
      problems.append("The tax rate is \(taxRateBasisPoints) basis points; use 0 to 10000")
    }
    if !Booking.holdTTLSeconds.contains(holdTTLSeconds) {
      problems.append("Holds live \(holdTTLSeconds) seconds; use 1 to 86400")
    }
    problems += policy.problems(ttl: holdTTLSeconds)
    do {
      let plan = try SeatPlan(plan)
      if problems.isEmpty {
        return Booking.ShowScheduled(
          showID: showID, title: title, startsAt: startsAt, currency: currency,
          taxRateBasisPoints: taxRateBasisPoints, holdTTLSeconds: holdTTLSeconds, plan: plan,
          policy: policy, scheduledAt: now)
      }
    } catch {
      problems += error.problems
    }
    throw .invalidPlan(problems)
  }
}

extension Booking.ShowScheduled {
  /// Whether this show is what `request` asked for.
  func fulfils(_ request: Booking.Schedule) -> Bool {
    showID == request.showID && title == request.title && startsAt == request.startsAt
      && currency == request.currency && taxRateBasisPoints == request.taxRateBasisPoints
      && holdTTLSeconds == request.holdTTLSeconds && plan.document == request.plan && policy == request.policy
  }
}

extension Booking.Policy {
  fileprivate func problems(ttl: Int) -> [String] {
    var problems: [String] = []
    if let seats = seatsPerBuyer, !Booking.seatsPerBuyer.contains(seats) {
      problems.append("A buyer may have \(seats) seats; use 1 to \(Booking.seatsPerBuyer.upperBound)")
    }
    if let lifetime = holdLifetimeSeconds {
      if !Booking.holdLifetimeSeconds.contains(lifetime) {
        problems.append(
          "Holds live \(lifetime) seconds with extensions; use 1 to \(Booking.holdLifetimeSeconds.upperBound)"
        )
      } else if lifetime < ttl {
        problems.append(
          "Holds live \(ttl) seconds, but only \(lifetime) with extensions; make the second at least the first"
        )
      }
    }
    return problems
  }
}
