import EventStore
import Vocabulary

/// The services as reports use them: bills, overviews, lists and the feed, through connections of their own.
///
/// A report may be long, and many may be asked for at once. Whatever becomes of them, the connections of
/// ``Aisle/store``, which sales are made with, stay free.
public struct Reports: Sendable {
  public let store: EventStore
  public let billing: BillingService
  public let readModels: ReadModels
  /// Reports that may run at once: one for each connection, or for half of those that are shared with sales.
  public let atOnce: Int

  init(store: EventStore, isSeparate: Bool, time: TimeSource, billingLag: Int64) {
    self.store = store
    billing = BillingService(store: store, time: time, lagLimit: billingLag)
    readModels = ReadModels(store: store)
    atOnce = isSeparate ? store.pool.size : max(1, store.pool.size / 2)
  }
}
