import Vocabulary

/// The providers that this process can take money through, and the secrets of their webhooks.
///
/// A payment method with a colon names one: `sandbox:approve`. Any other, such as `invoice`, is put on the account and
/// needs nobody's consent.
public struct Payments: Sendable {
  /// A provider and what its webhooks are signed with.
  public struct Connection: Sendable {
    public let provider: any PaymentProvider
    public let secret: WebhookSecret

    public init(_ provider: any PaymentProvider, secret: WebhookSecret) {
      self.provider = provider
      self.secret = secret
    }
  }

  private let connections: [String: Connection]

  public init(_ connections: [Connection] = []) {
    self.connections = Dictionary(connections.map { ($0.provider.name, $0) }) { $1 }
  }

  /// Everything is put on the account.
  public static let none = Payments()

  public subscript(provider: String) -> Connection? { connections[provider] }

  /// The two parts of a payment method that names a provider; nil if it is put on the account.
  static func split(_ method: String) -> (provider: String, card: String)? {
    let parts = method.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
  }
}
