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
  /// - Parameter progress: is told how many of the open bills are done with.
  public func close(
    _ month: Month, account: AccountID? = nil, _ context: RequestContext = RequestContext(),
    progress: @escaping @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws(ServiceError) -> MonthClosing {
    var closer = closer
    closer.progress = progress
    return try await close(month, account: account, context, by: closer)
  }

  /// The bills of a month that could not be closed when it was tried, with the reason; at most 1000 of them.
  public func parkedBills(_ month: Month) async throws(ServiceError) -> [ParkedBill] {
    do {
      return try await ParkedBills(store: store).list(month)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  var closer: MonthCloser { MonthCloser(store: store, batch: batch, time: time) }

  func close(
    _ month: Month, account: AccountID?, _ context: RequestContext, by closer: MonthCloser
  ) async throws(ServiceError) -> MonthClosing {
    do {
      try Billing.requireEnd(of: month, in: try await zone(of: account), at: time.now)
      let closing = try await closer.close(month, of: account, context)
      // The log knows orders of an account before its stream does.
      if let account, closing.isEmpty { try await requireAccount(account) }
      return closing
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
