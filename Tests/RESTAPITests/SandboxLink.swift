import Foundation
import Services
import Synchronization
import TestSupport
import Vocabulary

/// The way between the services and the sandbox, which both listen on a port that is known only when they do.
final class SandboxLink: PaymentProvider, Sendable {
  let name = "sandbox"
  let secret = WebhookSecret.random()
  private let timeout: Duration
  private let provider = Mutex<HTTPPaymentProvider?>(nil)

  /// - Parameter timeout: of the services' requests to the sandbox.
  init(timeout: Duration = .seconds(5)) { self.timeout = timeout }

  var payments: Payments { Payments([.init(self, secret: secret)]) }

  /// - Returns: what delivers the sandbox's webhooks.
  func connect(to port: Int, of bank: SandboxBank) throws -> SandboxWebhooks {
    guard let url = URL(string: "http://127.0.0.1:\(port)") else { throw URLError(.badURL) }
    provider.withLock {
      $0 = HTTPPaymentProvider(
        name: name, url: url.appending(path: "sandbox"), secret: secret, timeout: timeout)
    }
    return SandboxWebhooks(
      bank, to: url.appending(path: "v1/payments/webhooks/sandbox"), secret: secret, logger: .silent)
  }

  private func connected() throws(PaymentProviderError) -> HTTPPaymentProvider {
    guard let provider = provider.withLock(\.self) else { throw .unreachable("nobody listens yet") }
    return provider
  }

  func charge(_ request: ChargeRequest) async throws(PaymentProviderError) -> ChargeStatus {
    try await connected().charge(request)
  }

  func inquire(_ id: PaymentID) async throws(PaymentProviderError) -> ChargeStatus? {
    try await connected().inquire(id)
  }

  func refund(_ request: RefundRequest) async throws(PaymentProviderError) -> RefundStatus {
    try await connected().refund(request)
  }
}
