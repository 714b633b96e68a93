import Dispatch
import Foundation

/// A mail server, and how to log in there.
public struct SMTPServer: Sendable {
  /// Bound of what one message may take, in seconds.
  public static let timeLimit = 10

  /// Scheme, host and port.
  let address: String
  let user: String?
  let password: String?
  /// A file of certificates; nil for the system's.
  let authorities: String?

  /// - Parameters:
  ///   - text: `smtp://host:587` (TLS if the server offers it), or `smtps://host` (TLS from the start). With `user:password@`
  ///     before the host it logs in, and only over TLS.
  ///   - authorities: PEM file of who may certify the server, instead of those that the system trusts.
  ///
  /// nil if the text is something else.
  public init?(_ text: String, authorities: String? = nil) {
    guard let parts = URLComponents(string: text), ["smtp", "smtps"].contains(parts.scheme ?? ""),
      let host = parts.host, !host.isEmpty, parts.path.isEmpty || parts.path == "/", parts.query == nil,
      (parts.user == nil) == (parts.password == nil)
    else { return nil }
    address = "\(parts.scheme ?? "smtp")://\(host)" + (parts.port.map { ":\($0)" } ?? "")
    user = parts.user
    password = parts.password
    self.authorities = authorities
  }

  /// Hands messages over, one after the other, through one connection if the server keeps it.
  ///
  /// - Returns: for each message nil if the server has taken it, else why not. Those after a cancellation have failed.
  public func send(_ messages: [MailMessage]) async -> [SMTPError?] {
    let session = SMTPSession(self)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // libcurl blocks; a queue has a thread of its own, so Swift's pool never waits.
        DispatchQueue(label: "smtp").async { continuation.resume(returning: session.send(messages)) }
      }
    } onCancel: {
      session.cancel()
    }
  }
}
