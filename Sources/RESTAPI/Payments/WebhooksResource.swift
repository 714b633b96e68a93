import HTTPTypes
import Hummingbird
import NIOCore
import Services

/// `/v1/payments/webhooks/{provider}`
struct WebhooksResource: Sendable {
  let webhooks: PaymentWebhooks

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("payments/webhooks/{provider}", use: receive)
  }

  /// The signature is over the bytes as they came, so they are taken before anything is made of them.
  @Sendable
  private func receive(_ request: Request, _ context: APIContext) async throws -> Response {
    let provider = try context.text("provider")
    let limit = PaymentWebhooks.maximumBodySize
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: limit)
    } catch is NIOTooManyBytesError {
      throw Problem.tooLarge(limit: limit)
    }
    let outcome: PaymentWebhooks.Outcome
    do throws(PaymentWebhooks.Refusal) {
      outcome = try await webhooks.receive(
        Array(body.readableBytesView), signature: request.headers[.aisleSignature], from: provider,
        context.command)
    } catch {
      throw Problem(error)
    }
    return try .json(Acknowledgement(outcome))
  }

  private struct Acknowledgement: Encodable {
    /// applied, duplicate or ignored
    let outcome: String

    init(_ outcome: PaymentWebhooks.Outcome) {
      self.outcome =
        switch outcome {
        case .applied: "applied"
        case .duplicate: "duplicate"
        case .ignored: "ignored"
        }
    }
  }
}

extension Problem {
  init(_ refusal: PaymentWebhooks.Refusal) {
    switch refusal {
    case .unknownProvider(let name): self = .notFound("payment-provider", String(name.prefix(64)))
    case .signature(.malformed):
      self = .unsigned("is missing or malformed; it must be t=SECONDS,v1=HMAC-SHA256 in hexadecimal")
    case .signature(.expired): self = .unsigned("was made more than five minutes ago, or by a wrong clock")
    case .signature(.wrong): self = .unsigned("does not fit the body; sign its bytes with the shared secret")
    case .unreadable(let reason):
      self = .invalidRequest(.pointer(""), "is not a notice: \(reason.prefix(300))")
    case .service(let error): self.init(error)
    }
  }

  private static func unsigned(_ message: String) -> Problem {
    Problem(.unauthorized, "webhook-signature-invalid", "Header \(WebhookSignature.header) \(message)")
      .with { $0.errors = [Fault(.header(WebhookSignature.header), message)] }
  }
}

extension HTTPField.Name {
  // The initialiser is failable for names that are not tokens; this is one.
  static let aisleSignature = HTTPField.Name(WebhookSignature.header)!
}
