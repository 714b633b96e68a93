import Foundation
import RESTAPI
import Services

/// Through whom this process takes payments: the provider that the settings name, or a sandbox of its own, which it
/// talks to over HTTP like to any other.
struct PaymentSetup: Sendable {
  let payments: Payments
  /// The sandbox's side of it.
  let sandbox: RESTAPI.Options.Sandbox?
  let webhooks: SandboxWebhooks?

  init(_ session: Session, host: String, port: Int, bringsSandbox: Bool) throws {
    let settings = session.settings
    if let url = settings.paymentsURL, settings.paymentsSecret == nil {
      throw CommandFailure(
        "AISLE_PAYMENTS_URL is \(url), but AISLE_PAYMENTS_SECRET is not set; without it no webhook can be believed"
      )
    }
    // Who talks to itself needs no secret that others know.
    let secret = settings.paymentsSecret ?? .random()
    // A listener on every address is reached on this one.
    let reachable = ["0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host.contains(":") ? "[\(host)]" : host
    guard let own = URL(string: "http://\(reachable):\(port)") else {
      throw CommandFailure("--host \(host) is not an address that can be part of a URL")
    }
    let isOwn = bringsSandbox && settings.paymentsURL == nil
    if let url = settings.paymentsURL ?? (isOwn ? own.appending(path: "sandbox") : nil) {
      payments = Payments([
        .init(HTTPPaymentProvider(name: "sandbox", url: url, secret: secret), secret: secret)
      ])
    } else {
      payments = .none
    }
    guard bringsSandbox else {
      (sandbox, webhooks) = (nil, nil)
      return
    }
    let bank = SandboxBank(pool: session.pool)
    sandbox = .init(bank, secret: secret)
    webhooks = SandboxWebhooks(
      bank, to: own.appending(path: "v1/payments/webhooks/sandbox"), secret: secret, logger: session.logger)
  }
}
