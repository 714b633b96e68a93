/// Turns progress into what has to be written: a line that redraws itself on a terminal, now and then a whole line
/// when piped.
///
/// A value without I/O; ``follow(_:style:title:write:)`` drives it during a run.
public struct ProgressPrinter: Sendable {
  private let title: String
  private let style: TerminalStyle
  private var frame = 0
  private var lastStep = -1
  private var lastLineAt: Int64 = 0
  private var lastPlain: String?

  public init(title: String, style: TerminalStyle) {
    self.title = TerminalStyle.safe(title)
    self.style = style
  }

  /// What to write for the state of things now, or nil if nothing is due.
  public mutating func update(_ progress: RunProgress) -> String? {
    if style.isInteractive {
      frame += 1
      return "\r" + line(progress, spinner: Self.spinner[frame % Self.spinner.count]) + Self.clearRest
    }
    // Piped: at each tenth of the way, but at least every five seconds, so that a log shows it is alive.
    let step = progress.expected > 0 ? progress.done * 10 / progress.expected : 0
    guard step > lastStep || progress.elapsedMicroseconds - lastLineAt >= Self.quietLimit else { return nil }
    return plainLine(progress, step: step)
  }

  /// The last state, with a line's end. Empty if the last plain line says it already.
  public mutating func finish(_ progress: RunProgress) -> String {
    if style.isInteractive {
      return "\r" + line(progress, spinner: progress.errors == 0 ? "●" : "!") + Self.clearRest + "\n"
    }
    let text = plainText(progress)
    return text == lastPlain ? "" : title + ": " + text + "\n"
  }

  private static let spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
  private static let clearRest = "\u{1B}[K"
  private static let quietLimit: Int64 = 5_000_000

  private mutating func plainLine(_ progress: RunProgress, step: Int) -> String {
    lastStep = max(lastStep, step)
    lastLineAt = progress.elapsedMicroseconds
    let text = plainText(progress)
    lastPlain = text
    return title + ": " + text + "\n"
  }

  private func plainText(_ progress: RunProgress) -> String {
    ([counted(progress)] + figures(progress).map(\.text)).joined(separator: ", ")
  }

  private func counted(_ progress: RunProgress) -> String {
    progress.expected > 0
      ? "\(Numerals.grouped(progress.done)) of \(Numerals.grouped(progress.expected))"
      : Numerals.grouped(progress.done)
  }

  private func figures(_ progress: RunProgress) -> [(text: String, colour: TerminalStyle.Colour?)] {
    var figures: [(String, TerminalStyle.Colour?)] = [
      ("\(Numerals.grouped(progress.winners)) won", progress.winners > 0 ? .green : nil),
      ("\(Numerals.grouped(progress.refused)) refused", nil),
      ("\(Numerals.grouped(progress.errors)) errors", progress.errors > 0 ? .red : nil),
    ]
    if progress.conflicts > 0 {
      figures.append(("\(Numerals.grouped(progress.conflicts)) conflicts", .yellow))
    }
    figures.append(("\(Numerals.grouped(Int(progress.rate.rounded())))/s", .dim))
    return figures
  }

  /// One line that fits the terminal: what does not fit is left out from the right, never wrapped, since a wrapped
  /// line cannot be redrawn.
  private func line(_ progress: RunProgress, spinner: String) -> String {
    var room = style.width - 1
    var line = ""
    func add(_ text: String, _ colour: TerminalStyle.Colour?) {
      let needed = text.count + (line.isEmpty ? 0 : 2)
      guard needed <= room else {
        room = 0
        return
      }
      room -= needed
      line += (line.isEmpty ? "" : "  ") + (colour.map { style.paint(text, $0) } ?? text)
    }
    add("\(spinner) \(title)", .bold)
    if progress.expected > 0, style.width >= 60 { add(bar(progress), nil) }
    add(counted(progress), nil)
    for figure in figures(progress) { add(figure.text, figure.colour) }
    return line
  }

  private func bar(_ progress: RunProgress) -> String {
    let cells = 20
    let filled = min(cells, progress.done * cells / max(progress.expected, 1))
    return String(repeating: "━", count: filled) + String(repeating: "─", count: cells - filled)
  }
}

extension ProgressPrinter {
  /// Writes the progress of a run until it is cancelled; then writes the last state.
  ///
  /// Ten times a second on a terminal, twice a second otherwise (where it mostly has nothing to write).
  public static func follow(
    _ recorder: RunRecorder, style: TerminalStyle, title: String, write: @Sendable (String) -> Void
  ) async {
    var printer = ProgressPrinter(title: title, style: style)
    let pause: Duration = style.isInteractive ? .milliseconds(100) : .milliseconds(500)
    while !Task.isCancelled {
      if let text = printer.update(recorder.progress) { write(text) }
      // Throws only when cancelled, which ends the loop.
      try? await Task.sleep(for: pause)
    }
    write(printer.finish(recorder.progress))
  }
}
