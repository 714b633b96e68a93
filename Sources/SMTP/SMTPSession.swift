import CCurl
import Foundation
import Synchronization

/// One conversation with a mail server, on the thread that calls ``send(_:)``.
final class SMTPSession: Sendable {
  private let server: SMTPServer
  private let isCancelled = Atomic(false)

  init(_ server: SMTPServer) { self.server = server }

  /// From any thread; a transfer that is under way ends within a second.
  func cancel() { isCancelled.store(true, ordering: .relaxed) }

  /// Whether libcurl works at all; once for the process, before the first handle.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  func send(_ messages: [MailMessage]) -> [SMTPError?] {
    guard Self.isReady, let handle = curl_easy_init() else {
      return messages.map { _ in .failed("libcurl could not be set up") }
    }
    defer { curl_easy_cleanup(handle) }
    return messages.map { message in
      if isCancelled.load(ordering: .relaxed) { return .failed("sending was cancelled") }
      return send(message, with: handle)
    }
  }

  private func send(_ message: MailMessage, with handle: UnsafeMutableRawPointer) -> SMTPError? {
    // Keeps the connection.
    curl_easy_reset(handle)
    let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    let mime = curl_mime_init(handle)
    let headers = message.headers.reduce(nil) { curl_slist_append($0, $1) }
    let recipients = curl_slist_append(nil, "<\(message.to)>")
    defer {
      curl_slist_free_all(headers)
      curl_slist_free_all(recipients)
      curl_mime_free(mime)
      reason.deallocate()
    }
    let part = curl_mime_addpart(mime)
    let text = message.text.replacingOccurrences(of: "\n", with: "\r\n")
    var codes = [
      curl_mime_data(part, text, text.utf8.count), curl_mime_type(part, "text/plain; charset=utf-8"),
      curl_mime_encoder(part, "quoted-printable"),
      curl_set_text(handle, CURLOPT_URL, server.address),
      curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
      // Whoever has a password to keep does not say it where others listen.
      curl_set_number(
        handle, CURLOPT_USE_SSL, Int((server.user == nil ? CURLUSESSL_TRY : CURLUSESSL_ALL).rawValue)),
      curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(message.from)>"),
      curl_set_pointer(handle, CURLOPT_MAIL_RCPT, recipients),
      curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers),
      curl_set_pointer(handle, CURLOPT_MIMEPOST, UnsafeMutableRawPointer(mime)),
      curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason),
      curl_set_number(handle, CURLOPT_TIMEOUT, SMTPServer.timeLimit),
      // No signals: this process has other threads.
      curl_set_number(handle, CURLOPT_NOSIGNAL, 1),
      // `self` outlives the transfer, which ends before this function does.
      curl_set_progress(
        handle,
        { context, _, _, _, _ in
          guard let context else { return 0 }
          let session = Unmanaged<SMTPSession>.fromOpaque(context).takeUnretainedValue()
          return session.isCancelled.load(ordering: .relaxed) ? 1 : 0
        }, Unmanaged.passUnretained(self).toOpaque()),
    ]
    if let user = server.user, let password = server.password {
      codes.append(curl_set_text(handle, CURLOPT_USERNAME, user))
      codes.append(curl_set_text(handle, CURLOPT_PASSWORD, password))
    }
    if let authorities = server.authorities {
      codes.append(curl_set_text(handle, CURLOPT_CAINFO, authorities))
    }
    guard codes.allSatisfy({ $0 == CURLE_OK }) else { return .failed("libcurl does not take the message") }

    let code = curl_easy_perform(handle)
    guard code != CURLE_OK else { return nil }
    let said = String(cString: reason)
    let explanation = said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
    return Self.isForGood(code, curl_response_code(handle), explanation)
      ? .refused(explanation) : .failed(explanation)
  }

  /// Whether it is the message or its recipient that the server does not want. A login or a sender that it does not
  /// know is mended on this side, for all messages.
  private static func isForGood(_ code: CURLcode, _ response: Int, _ explanation: String) -> Bool {
    (500..<600).contains(response) && code != CURLE_LOGIN_DENIED && !explanation.hasPrefix("MAIL failed")
  }
}
