/// Follows the messages that a client of PostgreSQL sends, to know where one ends and whether it is an Execute.
///
/// A message is a type byte and a length of four bytes that counts itself; the first ones of a connection
/// (StartupMessage, SSLRequest, GSSENCRequest, CancelRequest) have no type byte.
struct FrontendMessages {
  private static let execute = UInt8(ascii: "E")
  /// The type and the length of the message being read.
  private var header: [UInt8] = []
  private var remaining = 0
  private var isStarting = true

  /// Whether the last byte seen was the last of a message.
  var isAtBoundary: Bool { header.isEmpty && remaining == 0 }

  /// Takes bytes as they come; true if an Execute ended in them.
  mutating func take(_ bytes: some Sequence<UInt8>) -> Bool {
    var sawExecute = false
    for byte in bytes {
      if remaining > 0 {
        remaining -= 1
        if remaining == 0 { sawExecute = finish() || sawExecute }
        continue
      }
      header.append(byte)
      let typeBytes = isStarting ? 0 : 1
      guard header.count == typeBytes + 4 else { continue }
      let length = header.dropFirst(typeBytes).reduce(0) { $0 << 8 | Int($1) }
      remaining = max(0, length - 4)
      if remaining == 0 { sawExecute = finish() || sawExecute }
    }
    return sawExecute
  }

  private mutating func finish() -> Bool {
    let wasExecute = !isStarting && header.first == Self.execute
    // Requests for encryption are eight bytes long; the startup message, which follows them, is longer.
    if isStarting, header.reduce(0, { $0 << 8 | Int($1) }) > 8 { isStarting = false }
    header = []
    return wasExecute
  }
}
