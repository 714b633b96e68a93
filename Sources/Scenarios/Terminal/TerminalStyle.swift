import Foundation

/// How to write for the reader at the other end of a stream: with colours and a moving line, or plainly.
public struct TerminalStyle: Hashable, Sendable {
  /// May the cursor move back, as on a terminal? Otherwise every line stays.
  public var isInteractive: Bool
  public var usesColour: Bool
  /// Characters in a line.
  public var width: Int

  public init(isInteractive: Bool, usesColour: Bool, width: Int = 100) {
    self.isInteractive = isInteractive
    self.usesColour = usesColour
    self.width = max(20, width)
  }

  /// For a pipe or a file.
  public static let plain = TerminalStyle(isInteractive: false, usesColour: false)

  /// For a file descriptor: colours only on a terminal, and not if `NO_COLOR` is set (https://no-color.org) or
  /// `TERM` is `dumb`.
  public static func detect(
    fileDescriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> TerminalStyle {
    let isTerminal = isatty(fileDescriptor) == 1 && environment["TERM"] != "dumb"
    var size = winsize()
    let known = isTerminal && ioctl(fileDescriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return detect(isTerminal: isTerminal, width: known ? Int(size.ws_col) : 100, environment: environment)
  }

  static func detect(isTerminal: Bool, width: Int, environment: [String: String]) -> TerminalStyle {
    let refused = !(environment["NO_COLOR"] ?? "").isEmpty
    return TerminalStyle(isInteractive: isTerminal, usesColour: isTerminal && !refused, width: width)
  }

  enum Colour: String {
    case green = "32"
    case red = "31"
    case yellow = "33"
    case dim = "2"
    case bold = "1"
  }

  func paint(_ text: String, _ colour: Colour) -> String {
    usesColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Text from outside may carry control characters that would move the cursor or change colours.
  static func safe(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
  }
}
