import Foundation
import Vocabulary

/// The body of a provider's webhook.
public struct PaymentNotice: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    case chargePending = "charge.pending"
    case chargeSucceeded = "charge.succeeded"
    case chargeDeclined = "charge.declined"
    case refundSettled = "refund.settled"
  }

  /// The same for every delivery of one notice.
  public let id: String
  public let type: Kind
  public let created: Timestamp
  public let data: Details

  public struct Details: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let paymentID: PaymentID
    public let refundID: RefundID?
    public let amount: Money
    public let reason: String?

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case paymentID = "payment_id"
      case refundID = "refund_id"
      case amount, reason
    }

    public init(
      orderID: OrderID, paymentID: PaymentID, refundID: RefundID? = nil, amount: Money, reason: String? = nil
    ) {
      self.orderID = orderID
      self.paymentID = paymentID
      self.refundID = refundID
      self.amount = amount
      self.reason = reason
    }
  }

  public init(id: String, type: Kind, created: Timestamp, data: Details) {
    self.id = id
    self.type = type
    self.created = created
    self.data = data
  }

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }
}
