import SMTP
import TestSupport
import Testing

@Suite("Mail", .timeLimit(.minutes(2)))
struct SMTPServerTests {
  private func letter(
    to recipient: String = "ann@example.org", subject: String = "Hello", text: String = "A line.\n"
  ) -> MailMessage {
    MailMessage(
      id: "1@example.org", from: "tickets@example.org", to: recipient, subject: subject, text: text,
      date: 1_798_140_600)
  }

  @Test("what is sent arrives, whatever letters it is written in")
  func sent() async throws {
    try await MailServer.with { server in
      let sender = try #require(SMTPServer("smtp://127.0.0.1:\(server.port)"))
      let subject = "Götterdämmerung, mit einer sehr langen Überschrift: 千穐楽 👩‍👩‍👧‍👦 und noch etwas mehr"
      let text =
        ".a line that begins with a dot\nseat Ü-1\n.\n" + String(repeating: "long ", count: 400) + "\n"
      let results = await sender.send([letter(subject: subject, text: text), letter(to: "bob@example.org")])
      #expect(results == [nil, nil])
      let messages = try server.messages
      #expect(messages.map(\.to) == [["ann@example.org"], ["bob@example.org"]])
      #expect(messages.map(\.from) == ["tickets@example.org", "tickets@example.org"])
      let first = try #require(messages.first)
      #expect(first.text == text)
      #expect(first.headers["subject"] == subject)
      #expect(first.headers["to"] == "ann@example.org")
      #expect(first.headers["message-id"] == "<1@example.org>")
      #expect(first.headers["date"] == "Thu, 24 Dec 2026 19:30:00 +0000")
      #expect(first.headers["auto-submitted"] == "auto-generated")
    }
  }

  @Test(
    "what the server refuses for good is told from what it cannot take now, and neither harms the next message"
  )
  func refused() async throws {
    try await MailServer.with { server in
      let sender = try #require(SMTPServer("smtp://127.0.0.1:\(server.port)"))
      let results = await sender.send([
        letter(to: "nobody@example.org"), letter(to: "full@example.org"), letter(text: "unwanted\n"),
        letter(),
      ])
      guard case .refused(let reason) = results[0] else {
        Issue.record("\(results)")
        return
      }
      #expect(reason.contains("550"))
      guard case .failed = results[1] else {
        Issue.record("\(results)")
        return
      }
      guard case .refused = results[2] else {
        Issue.record("\(results)")
        return
      }
      #expect(results[3] == nil)
      #expect(try server.messages.map(\.to) == [["ann@example.org"]])
    }
  }

  @Test("no text can add a header or a recipient")
  func injection() async throws {
    try await MailServer.with { server in
      let sender = try #require(SMTPServer("smtp://127.0.0.1:\(server.port)"))
      _ = await sender.send([letter(subject: "Hello\r\nBcc: eve@example.org\r\n\r\nanother text")])
      let message = try #require(try server.messages.first)
      #expect(message.headers["bcc"] == nil)
      #expect(message.headers["subject"] == "HelloBcc: eve@example.organother text")
      #expect(message.text == "A line.\n")
    }
  }

  @Test("a password is said over TLS only, to a server whose certificate is trusted")
  func login() async throws {
    try await MailServer.with(.startTLS) { server in
      let port = server.port
      let url = "smtp://aisle:secret%20word@localhost:\(port)"
      let known = try #require(SMTPServer(url, authorities: server.certificate))
      #expect(await known.send([letter()]) == [nil])
      #expect(try server.messages.map(\.user) == ["aisle"])
      #expect(try server.messages.map(\.tls) == [true])

      // A wrong password is for the operator to mend: the message is as good as before.
      let wrong = try #require(
        SMTPServer("smtp://aisle:wrong@localhost:\(port)", authorities: server.certificate))
      guard case .failed = await wrong.send([letter()])[0] else {
        Issue.record("logged in")
        return
      }
      let stranger = try #require(SMTPServer(url))
      guard case .failed = await stranger.send([letter()])[0] else {
        Issue.record("trusted")
        return
      }
      #expect(try server.messages.count == 1)
    }
    try await MailServer.with { server in
      let sender = try #require(SMTPServer("smtp://aisle:secret%20word@127.0.0.1:\(server.port)"))
      guard case .failed = await sender.send([letter()])[0] else {
        Issue.record("said in the clear")
        return
      }
      #expect(try server.messages.isEmpty)
    }
  }

  @Test("without a server it fails, and is cancelled before its time is over")
  func unreachable() async throws {
    let nowhere = try #require(SMTPServer("smtp://127.0.0.1:1"))
    guard case .failed = await nowhere.send([letter()])[0] else {
      Issue.record("sent")
      return
    }
    let task = Task { await nowhere.send(Array(repeating: letter(), count: 100_000)) }
    task.cancel()
    #expect(await task.value.last == .failed("sending was cancelled"))
  }

  @Test(
    "an address of a server is checked",
    arguments: [
      "", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://user@mail.example.org",
      "smtp://mail.example.org/inbox", "smtp://mail.example.org?x=1",
    ])
  func badAddress(text: String) {
    #expect(SMTPServer(text) == nil)
  }
}
