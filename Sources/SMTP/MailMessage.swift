import Glibc

/// A mail of plain text to one recipient.
public struct MailMessage: Sendable, Hashable {
  /// Without angle brackets; the same in every try, so that a mailbox that gets it twice can tell.
  public var id: String
  public var from: String
  public var to: String
  public var subject: String
  /// Lines that end with `\n`.
  public var text: String
  /// When it was written, in seconds since 1970.
  public var date: Int64

  public init(id: String, from: String, to: String, subject: String, text: String, date: Int64) {
    self.id = id
    self.from = from
    self.to = to
    self.subject = subject
    self.text = text
    self.date = date
  }

  /// Header lines. Nobody answers a machine: `Auto-Submitted` keeps out-of-office messages away (RFC 3834).
  var headers: [String] {
    [
      "Date: \(Self.formatted(date))", "From: \(Self.line(from))", "To: \(Self.line(to))",
      "Subject: \(EncodedWord.header(subject))", "Message-ID: <\(Self.line(id))>",
      "Auto-Submitted: auto-generated",
    ]
  }

  /// Text that cannot begin a header of its own.
  static func line(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }

  /// In UTC, as RFC 5322 wants it.
  private static func formatted(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
    return
      "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) \(clock) +0000"
  }
}
