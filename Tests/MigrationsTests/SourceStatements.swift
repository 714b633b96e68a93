import Foundation
import Testing

/// A statement as it stands in a Swift file: its text with `$1`, `$2` … where Swift puts in values.
struct SourceStatement: Sendable, CustomTestStringConvertible {
  let file: String
  let line: Int
  let text: String
  /// The Swift expressions behind `$1`, `$2` …
  let values: [String]

  var testDescription: String { "\(file):\(line)" }

  /// The numbers of the parameters that are the tenant.
  var tenants: Set<Int> {
    Set(values.indices.filter { values[$0].lowercased().contains("tenant") }.map { $0 + 1 })
  }

  init(file: String = "planted", line: Int = 1, text: String, values: [String]) {
    self.file = file
    self.line = line
    self.text = text
    // A statement whose text is built once has its parameters beside it; the tenant is always the first.
    let last = text.matches(of: /\$(\d+)/).compactMap { Int($0.1) }.max() ?? 0
    self.values =
      values.isEmpty && last > 0 ? ["tenant"] + Array(repeating: "", count: last - 1) : values
  }
}

extension SourceStatement {
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources", directoryHint: .isDirectory).standardizedFileURL

  /// Every statement about tables of Aisle in the program's sources.
  static func all() throws -> [SourceStatement] {
    let files = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
    return try files.filter { $0.hasSuffix(".swift") }.sorted().flatMap { file in
      try literals(of: file, String(contentsOf: sources.appending(path: file), encoding: .utf8))
    }
  }

  /// The string literals that are statements.
  static func literals(of file: String, _ source: String) -> [SourceStatement] {
    var found: [SourceStatement] = []
    var scanner = LiteralScanner(source)
    while let literal = scanner.next() {
      var text = literal.text.trimmingCharacters(in: .whitespacesAndNewlines)
      if let copied = text.firstMatch(of: /(?is)^copy\s*\((.*)\)\s*to stdout/) { text = String(copied.1) }
      let isStatement = text.contains(/(?i)^(select|insert|update|delete|merge|with|truncate|lock)\s/)
      guard isStatement, text.contains("aisle.") else { continue }
      found.append(SourceStatement(file: file, line: literal.line, text: text, values: literal.values))
    }
    return found
  }
}

/// Finds the string literals of Swift source, with their interpolations.
private struct LiteralScanner {
  struct Literal {
    let line: Int
    let text: String
    let values: [String]
  }

  private let bytes: [UInt8]
  private var place = 0
  private var line = 1

  init(_ source: String) { bytes = Array(source.utf8) }

  private func has(_ text: String, at offset: Int = 0) -> Bool {
    let wanted = Array(text.utf8)
    let start = place + offset
    return start + wanted.count <= bytes.count && bytes[start..<start + wanted.count].elementsEqual(wanted)
  }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count where place < bytes.count {
      if bytes[place] == UInt8(ascii: "\n") { line += 1 }
      place += 1
    }
  }

  mutating func next() -> Literal? {
    while place < bytes.count {
      if has("//") {
        while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { advance() }
      } else if has("\"") {
        return literal()
      } else {
        advance()
      }
    }
    return nil
  }

  private mutating func literal() -> Literal {
    let start = line
    let quote = has("\"\"\"") ? "\"\"\"" : "\""
    advance(quote.utf8.count)
    var text: [UInt8] = []
    var values: [String] = []
    while place < bytes.count, !has(quote) {
      if has("\\(") {
        advance(2)
        values.append(interpolation())
        text += Array("$\(values.count)".utf8)
      } else if has("\\") {
        // A line that goes on, or an escape: neither matters to SQL.
        if has("\\\n") { advance(2) } else { advance(2) }
      } else {
        text.append(bytes[place])
        advance()
      }
    }
    advance(quote.utf8.count)
    return Literal(line: start, text: String(decoding: text, as: UTF8.self), values: values)
  }

  /// Up to the parenthesis that closes it; literals inside are passed over.
  private mutating func interpolation() -> String {
    let start = place
    var depth = 1
    while place < bytes.count {
      if has("\"") {
        _ = literal()
        continue
      }
      if has("(") { depth += 1 }
      if has(")") { depth -= 1 }
      if depth == 0 { break }
      advance()
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    advance()
    return text
  }
}
