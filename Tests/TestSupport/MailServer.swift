import Foundation
import Subprocess
import SystemPackage

/// A mail server that nobody here wrote (aiosmtpd), in a process of its own.
///
/// It takes what is sent to anybody, but refuses `nobody@…` for good and `full@…` for now, and a message whose text has
/// the word `unwanted`.
public struct MailServer: Sendable {
  /// A message as it arrived, read by Python's parser.
  public struct Message: Sendable, Codable, Equatable {
    public let from: String
    public let to: [String]
    /// Decoded. Of the message's own headers, not of the envelope.
    public let headers: [String: String]
    public let text: String
    /// Whether it came over TLS, and as whom.
    public let tls: Bool
    public let user: String?
  }

  public let port: Int
  /// Whom to trust, if it speaks TLS.
  public let certificate: String?
  private let folder: URL

  /// What it has taken, in order.
  public var messages: [Message] {
    get throws {
      try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        .filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
        .map { try JSONDecoder().decode(Message.self, from: Data(contentsOf: $0)) }
    }
  }

  public enum Security: String, Sendable {
    case none
    /// Offers STARTTLS, and lets `aisle` with the password `secret word` log in.
    case startTLS = "starttls"
  }

  struct NotStarted: Error, CustomStringConvertible {
    var description: String { "the mail server did not start; bin/setup installs what it needs" }
  }

  /// Runs `body` while it listens on 127.0.0.1.
  public static func with(
    _ security: Security = .none, _ body: @escaping @Sendable (MailServer) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "aisle-mail-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificate = security == .none ? nil : folder.appending(path: "certificate.pem").path
    if let certificate {
      let made = try await Subprocess.run(
        .name("openssl"),
        arguments: [
          "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
          "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", certificate, "-keyout",
          folder.path + "/key.pem",
        ], input: .none, output: .discarded, error: .discarded)
      guard made.terminationStatus.isSuccess else { throw NotStarted() }
    }
    _ = try await Subprocess.run(
      // The system's: that is for whom the package was installed.
      .path("/usr/bin/python3"), arguments: ["-c", program, folder.path, security.rawValue], input: .none,
      output: .sequence, error: .currentStandardError
    ) { execution in
      defer { try? execution.send(signal: .kill) }
      var lines = execution.standardOutput.strings(separatedBy: .unicodeScalarSequence(["\n"]))
        .makeAsyncIterator()
      guard let line = try await lines.next(),
        let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines))
      else {
        throw NotStarted()
      }
      try await body(MailServer(port: port, certificate: certificate, folder: folder))
    }
  }

  /// Each message is in the folder before the sender is told that it is taken.
  private static let program = """
    import asyncio, email, email.policy, json, os, ssl, sys
    from aiosmtpd.smtp import SMTP, AuthResult

    folder, security = sys.argv[1:]

    class Handler:
        count = 0

        async def handle_RCPT(self, server, session, envelope, address, options):
            if address.startswith("nobody@"):
                return "550 5.1.1 there is no such person here"
            if address.startswith("full@"):
                return "452 4.2.2 the mailbox is full"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            text = message.get_body(("plain",)).get_content().replace("\\r\\n", "\\n")
            if "unwanted" in text:
                return "554 5.7.1 this is not wanted here"
            Handler.count += 1
            path = os.path.join(folder, "%06d" % Handler.count)
            user = session.auth_data.decode() if session.authenticated else None
            with open(path, "w") as file:
                json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": text, "user": user,
                           "tls": session.ssl is not None,
                           "headers": {name.lower(): str(value) for name, value in message.items()}}, file)
            os.rename(path, path + ".json")
            return "250 taken"

    def logIn(server, session, envelope, mechanism, data):
        known = data.login == b"aisle" and data.password == b"secret word"
        return AuthResult(success=known, handled=False, auth_data=data.login)

    def connection():
        if security == "none":
            return SMTP(Handler(), hostname="localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/certificate.pem", folder + "/key.pem")
        return SMTP(Handler(), hostname="localhost", tls_context=context, authenticator=logIn)

    async def main():
        server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())
    """
}
