import EventStore
import Logging
import PostgreSQL
import Vocabulary

/// Compares the tables with the log from time to time, in one of the processes that fill them.
///
/// Each time the months that have changed since, and of the others the one that was compared longest ago. What it finds
/// decides where ``BillSource/automatic`` takes bills from; it corrects nothing.
struct BillingWatch: Sendable {
  let billing: BillingService
  let interval: Duration
  let logger: Logger

  /// Most months that are compared at a time; the others come first the next time.
  private static let maximumMonths = 24

  private var checks: BillingChecks { BillingChecks(store: billing.store) }

  /// Until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      do {
        if try await checks.claim(every: interval) { try await look() }
      } catch {
        if Task.isCancelled { return }
        logger.warning("bills could not be compared with the log", metadata: ["error": "\(error)"])
      }
      // Others may have been faster, or have died since: it is asked for more often than it is due.
      try? await Task.sleep(for: min(interval, .seconds(60)))
    }
  }

  /// One turn.
  func look() async throws {
    for month in try await checks.due(limit: Self.maximumMonths) {
      let result = try await billing.reconcile(month)
      guard result.differenceCount > 0 else { continue }
      logger.error(
        "the bills of a month are not what the log says; they are answered from the log now",
        metadata: [
          "month": "\(month)", "differences": "\(result.differenceCount)",
          "first": "\(result.differences.first.map { "\($0)" } ?? "")",
        ])
    }
  }
}
