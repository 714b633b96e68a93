/// Why a message was not taken.
public enum SMTPError: Error, Sendable, Hashable {
  /// The server will not take this message to this recipient, ever (its answer began with 5).
  case refused(String)
  /// It was not taken now: no connection, a time-out, a login that failed, an answer that began with 4. After a time-out
  /// the server may have it all the same; the message's id tells.
  case failed(String)
}

extension SMTPError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .refused(let reason): "the mail server refuses it: \(reason)"
    case .failed(let reason): "the mail server did not take it: \(reason)"
    }
  }
}
