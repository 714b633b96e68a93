import Billing
import EventStore
import Vocabulary

extension BillingService {
  /// Closes every open bill of a month, of one account or of all: each gets the next invoice number and never changes again.
  ///
  /// What cannot be closed is listed with the reason, and does not keep others from it. The same call again goes on where
  /// this one ended; what is closed stays closed, under its number. An account without a line in the month has no bill, so
  /// there is nothing to close.
  /// - Throws: `billingRejected(.monthNotOver)` if the month is over nowhere on earth, or not for the account that is asked
  ///   for.
  public func close(
    _ month: Month, account: AccountID? = nil, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> MonthClosing {
    try await close(month, account: account, context, by: closer)
  }

  var closer: MonthCloser { MonthCloser(store: store, batch: batch, time: time) }

  func close(
    _ month: Month, account: AccountID?, _ context: RequestContext, by closer: MonthCloser
  ) async throws(ServiceError) -> MonthClosing {
    do {
      if let account { try await requireAccount(account) }
      try Billing.requireEnd(of: month, in: try await zone(of: account), at: time.now)
      return try await closer.close(month, of: account, context)
    } catch let rejection as Billing.Rejection {
      throw .billingRejected(rejection)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// Of all accounts, the one in which a month ends first.
  private func zone(of account: AccountID?) async throws -> BillingZone {
    guard let account else { return BillingZone("Pacific/Kiritimati") ?? .utc }
    return try await store.pool.withConnection { connection in
      // The position after the end: every opening counts.
      let head = try await store.head(on: connection)
      return try await AccountZones.load(
        of: [account], before: Position(head.rawValue + 1), tenant: store.tenant, on: connection
      ).zone(of: account, at: Position(head.rawValue + 1))
    }
  }
}
