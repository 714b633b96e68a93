import Foundation
import Ordering
import Services
import Synchronization
import Vocabulary

/// A payment provider that gets its money when it is told so, for who plays every order of events. It is part of no
/// process, so it outlives them all.
final class HandBank: PaymentProvider, Sendable {
  private struct Ledger: Sendable {
    var charges: [PaymentID: ChargeRequest] = [:]
    var paid: Set<PaymentID> = []
    var refunds: [RefundID: RefundRequest] = [:]
    var isClosed = false

    func status(of id: PaymentID) -> ChargeStatus {
      if paid.contains(id) { return .succeeded }
      return isClosed ? .declined(reason: "never-paid") : .pending
    }
  }

  let name = "sandbox"
  let secret = WebhookSecret.random()
  private let ledger = Mutex(Ledger())

  var connection: Payments { Payments([.init(self, secret: secret)]) }

  func charge(_ request: ChargeRequest) async throws(PaymentProviderError) -> ChargeStatus {
    ledger.withLock { ledger in
      ledger.charges[request.id] = request
      return ledger.status(of: request.id)
    }
  }

  func inquire(_ id: PaymentID) async throws(PaymentProviderError) -> ChargeStatus? {
    ledger.withLock { ledger in ledger.charges[id].map { _ in ledger.status(of: id) } }
  }

  func refund(_ request: RefundRequest) async throws(PaymentProviderError) -> RefundStatus {
    let isPossible = ledger.withLock { ledger in
      guard ledger.paid.contains(request.payment) else { return false }
      ledger.refunds[request.id] = request
      return true
    }
    guard isPossible else { throw .refused("nothing was paid") }
    return .settled
  }

  /// The buyer pays.
  func pay(_ id: PaymentID) { ledger.withLock { _ = $0.paid.insert(id) } }

  /// From now on, whoever has not paid never will.
  func close() { ledger.withLock { $0.isClosed = true } }

  /// What the bank has kept of each order's money.
  var kept: [OrderID: Int64] {
    ledger.withLock { ledger in
      var kept: [OrderID: Int64] = [:]
      for (id, charge) in ledger.charges where ledger.paid.contains(id) {
        kept[charge.order, default: 0] += charge.amount.minorUnits
      }
      for refund in ledger.refunds.values { kept[refund.order, default: 0] -= refund.amount.minorUnits }
      return kept
    }
  }
}
