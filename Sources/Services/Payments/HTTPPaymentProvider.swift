import Foundation
import Vocabulary

/// A provider that is reached over HTTP: `POST …/charges`, `GET …/charges/{id}` and `POST …/refunds`, JSON in and out, the
/// id of the request in `Idempotency-Key`. What the sandbox takes and answers is in `docs/rest.md`.
public struct HTTPPaymentProvider: PaymentProvider {
  public let name: String
  private let url: URL
  private let apiKey: String
  private let caller: HTTPCaller

  /// - Parameters:
  ///   - url: under which `charges` and `refunds` are.
  ///   - timeout: a provider that takes longer is unreachable, and is asked again later.
  public init(name: String, url: URL, secret: WebhookSecret, timeout: Duration = .seconds(5)) {
    self.name = name
    self.url = url
    apiKey = secret.apiKey
    caller = HTTPCaller(timeout: timeout)
  }

  public func charge(_ request: ChargeRequest) async throws(PaymentProviderError) -> ChargeStatus {
    let answer: ChargeAnswer = try await post(
      "charges", key: request.id.rawValue,
      ChargeBody(orderID: request.order, amount: request.amount, card: request.card))
    return answer.charge
  }

  public func inquire(_ id: PaymentID) async throws(PaymentProviderError) -> ChargeStatus? {
    let answer: ChargeAnswer? = try await exchange("GET", "charges/\(id)", headers: [:], nil)
    return answer?.charge
  }

  public func refund(_ request: RefundRequest) async throws(PaymentProviderError) -> RefundStatus {
    let answer: RefundAnswer = try await post(
      "refunds", key: request.id.rawValue,
      RefundBody(orderID: request.order, paymentID: request.payment, amount: request.amount))
    return answer.status
  }

  private func post<Answer: Decodable>(
    _ path: String, key: String, _ body: some Encodable
  ) async throws(PaymentProviderError) -> Answer {
    let bytes: [UInt8]
    do { bytes = Array(try JSONEncoder().encode(body)) } catch { throw .refused("\(error)") }
    let answer: Answer? = try await exchange("POST", path, headers: ["Idempotency-Key": key], bytes)
    guard let answer else { throw .refused("it does not know \(path)") }
    return answer
  }

  /// - Returns: nil if there is nothing at that path.
  private func exchange<Answer: Decodable>(
    _ method: String, _ path: String, headers: [String: String], _ body: [UInt8]?
  ) async throws(PaymentProviderError) -> Answer? {
    do {
      let answer = try await caller.send(
        method, url.appending(path: path),
        headers: headers.merging(["Authorization": "Bearer \(apiKey)"]) { $1 },
        body)
      switch answer.status {
      case 404: return nil
      case 200..<300: return try JSONDecoder().decode(Answer.self, from: Data(answer.body))
      case 408, 429, 500...: throw PaymentProviderError.unreachable("it answered \(answer.status)")
      default:
        throw PaymentProviderError.refused(
          "\(answer.status) \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
      }
    } catch let error as PaymentProviderError {
      throw error
    } catch {
      throw .unreachable("\(error)")
    }
  }
}

// What goes over the wire, for both sides.

struct ChargeBody: Codable {
  let orderID: OrderID
  let amount: Money
  let card: String

  enum CodingKeys: String, CodingKey {
    case orderID = "order_id"
    case amount, card
  }
}

public struct ChargeAnswer: Codable, Sendable {
  public enum Status: String, Codable, Sendable { case succeeded, declined, pending }
  public let status: Status
  public let reason: String?

  var charge: ChargeStatus {
    switch status {
    case .succeeded: .succeeded
    case .declined: .declined(reason: reason ?? "payment-declined")
    case .pending: .pending
    }
  }

  public init(_ status: ChargeStatus) {
    switch status {
    case .succeeded: (self.status, reason) = (.succeeded, nil)
    case .declined(let why): (self.status, reason) = (.declined, why)
    case .pending: (self.status, reason) = (.pending, nil)
    }
  }
}

struct RefundBody: Codable {
  let orderID: OrderID
  let paymentID: PaymentID
  let amount: Money

  enum CodingKeys: String, CodingKey {
    case orderID = "order_id"
    case paymentID = "payment_id"
    case amount
  }
}

public struct RefundAnswer: Codable, Sendable {
  public let status: RefundStatus

  public init(_ status: RefundStatus) { self.status = status }
}
