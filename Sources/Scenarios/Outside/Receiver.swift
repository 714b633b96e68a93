import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Services
import Synchronization
import Vocabulary

/// Somebody outside who is told by webhooks what becomes of orders, and who is not always well.
final class Receiver: Sendable {
  /// One delivery, as it came in.
  struct Message: Hashable, Sendable {
    let id: String
    let type: String
    let order: String
    let isSigned: Bool
    /// Whether it was acknowledged; otherwise it was answered with 500.
    let isAccepted: Bool
  }

  let secret = WebhookSecret.random()
  private let time: TimeSource
  private let failsEvery: Int
  /// Control: says 200 whatever happened, which comes to the same as a sender that never tries again.
  private let alwaysAcknowledges: Bool
  private let state = Mutex<(count: Int, messages: [Message])>((0, []))

  init(time: TimeSource, failsEvery: Int, alwaysAcknowledges: Bool) {
    self.time = time
    self.failsEvery = failsEvery
    self.alwaysAcknowledges = alwaysAcknowledges
  }

  var messages: [Message] { state.withLock { $0.messages } }

  private struct Body: Decodable {
    let id: String
    let type: String
    let order: String

    private enum CodingKeys: String, CodingKey {
      case id, type
      case order = "order_id"
    }
  }

  func addRoutes(to router: Router<BasicRequestContext>) {
    router.post("told") { request, _ in
      let bytes = Array(try await request.body.collect(upTo: 1 << 20).readableBytesView)
      let header = HTTPField.Name(WebhookSignature.header).flatMap { request.headers[$0] }
      return self.take(bytes, signature: header)
    }
  }

  private func take(_ bytes: [UInt8], signature: String?) -> HTTPResponse.Status {
    guard let body = try? JSONDecoder().decode(Body.self, from: Data(bytes)) else { return .badRequest }
    let isSigned =
      signature.map { signature in
        (try? WebhookSignature.verify(signature, of: bytes, at: time.now, with: secret)) != nil
      } ?? false
    let isAccepted = state.withLock { state in
      state.count += 1
      let isAccepted = state.count % failsEvery != 0
      state.messages.append(
        Message(id: body.id, type: body.type, order: body.order, isSigned: isSigned, isAccepted: isAccepted))
      return isAccepted
    }
    return isAccepted || alwaysAcknowledges ? .ok : .internalServerError
  }
}
