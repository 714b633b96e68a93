import Billing
import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// Accounts and their monthly bills.
///
/// A bill comes from tables that ``subscription`` fills in the transaction of its checkpoint, or from the log in one
/// statement; as of the same position both are equal to the minor unit and to the digest.
/// ``BillSource/automatic`` takes the tables unless they are more than `lagLimit` positions behind the last order
/// event, are being rebuilt, the subscription's last try failed, or they are known not to be what the log or an invoice says.
/// Every bill says where it comes from.
public final class BillingService: Sendable {
  let store: EventStore
  let time: TimeSource
  let lagLimit: Int64
  let tables: BillingTables
  let batch: BillingBatch
  public let metrics = BillingMetrics()

  /// How far the tables may be behind, in positions of the log.
  public static let defaultLagLimit: Int64 = 10_000

  /// Fills the tables and appends charges and refunds to the accounts' streams.
  public let subscription: Subscription

  /// - Parameter lagLimit: in positions of the log.
  public init(store: EventStore, time: TimeSource, lagLimit: Int64 = BillingService.defaultLagLimit) {
    self.store = store
    self.time = time
    self.lagLimit = lagLimit
    tables = BillingTables(store: store)
    batch = BillingBatch(store: store)
    subscription = BillingProjection(store: store).subscription()
  }

  /// Gives an account a name and the time zone of its months. The same call again changes nothing; orders that came
  /// before it stay in their months of UTC.
  public func openAccount(
    _ id: AccountID, name: String, timeZone: String, _ context: RequestContext
  ) async throws(ServiceError) {
    let command = Billing.Command.open(.init(accountID: id, name: name, timeZone: timeZone))
    guard let opening = try await decide(command, on: id) else { return }
    try await requireKnownToDatabase(timeZone)
    let outcome: AppendOutcome
    do {
      // Charges may be appended to the stream all the time, so no version would hold still. The id is the guard:
      // it can be stored once.
      let event = try NewEvent(
        opening, id: .derived(from: "account-opened", id.rawValue), metadata: context.metadata())
      outcome = try await store.append(to: .account(id), expecting: .any, [event])
    } catch {
      throw ServiceError(reading: error)
    }
    switch outcome {
    case .committed, .duplicate, .conflict:
      // The log has one opening under this id: this one, or somebody else's who was first. If it is another one,
      // this one is refused. (Even "committed" may be theirs: an append whose answer was lost is sent again, and is
      // then recognised by the id alone.)
      _ = try await decide(command, on: id)
    case .unknown(let error):
      throw .outcomeUnknown("the connection was lost while opening account \(id): \(error)")
    }
  }

  /// Moves an account into another time zone. What is in the log before stays in the months that it is in; whatever comes
  /// later is billed by the new zone. The same call again changes nothing.
  /// - Throws: `billingRejected(.notOpened)` for an account without a zone to change.
  public func changeZone(
    of id: AccountID, to timeZone: String, _ context: RequestContext
  ) async throws(ServiceError) {
    let command = Billing.Command.changeZone(.init(accountID: id, timeZone: timeZone))
    guard let change = try await decide(command, on: id) else { return }
    try await requireKnownToDatabase(timeZone)
    let outcome: AppendOutcome
    do {
      // Of two changes at once the later one counts, as if they had come one after the other.
      let event = try NewEvent(
        change, tags: ["account-zone-changed", "account-zone-changed:\(id)"], metadata: context.metadata())
      outcome = try await store.append(to: .account(id), expecting: .any, [event])
    } catch {
      throw ServiceError(reading: error)
    }
    if case .unknown(let error) = outcome {
      throw .outcomeUnknown("the connection was lost while changing the zone of account \(id): \(error)")
    }
  }

  // MARK: Opening

  /// Decides on what the log says about openings and moves; charges and refunds have no say in it and are not read.
  private func decide(
    _ command: Billing.Command, on id: AccountID
  ) async throws(ServiceError) -> Billing.Event? {
    var state = Billing.State()
    do {
      let rows = try await store.pool.query(
        "select position from aisle.account_openings(\(store.tenant.rawValue), \([id.rawValue]))")
      let openings = try await store.read(at: rows.map { Position(try $0.decode(Int64.self)) })
      for event in openings { Billing.evolve(&state, try event.decode()) }
    } catch {
      throw ServiceError(reading: error)
    }
    do throws(Billing.Rejection) {
      return try Billing.decide(command, state, at: time.now).first
    } catch {
      throw .billingRejected(error)
    }
  }

  /// The batch lets PostgreSQL decide the month, so both must know the zone, and mean the same by it.
  private func requireKnownToDatabase(_ timeZone: String) async throws(ServiceError) {
    // PostgreSQL takes a name with a digit that it has no file for as a rule, SystemV/PST8PDT for example. Among the
    // IANA names with an area only those of Etc have digits.
    guard timeZone.hasPrefix("Etc/") || !timeZone.contains(where: \.isNumber) else {
      throw .billingRejected(.unknownTimeZone(timeZone))
    }
    do {
      try await store.pool.query("select now() at time zone \(timeZone)")
    } catch let error as PostgresError where error.sqlState == "22023" {
      throw .billingRejected(.unknownTimeZone(timeZone))
    } catch {
      throw ServiceError(reading: error)
    }
  }
}
