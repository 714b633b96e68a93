/// A scenario's story as HTML: paragraphs, `- ` lists, `**strong**`, `*emphasis*` and `` `code` ``. No links and no
/// raw HTML, so that a story cannot make a report load anything.
enum StoryText {
  static func html(_ story: String) -> HTML {
    var blocks: [HTML] = []
    var lines: [String] = []
    func close() {
      if !lines.isEmpty { blocks += block(lines) }
      lines = []
    }
    for line in story.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.trimmed
      line.isEmpty ? close() : lines.append(line)
    }
    close()
    return "\(blocks)"
  }

  /// A paragraph, or the items of a list, in which a line without a dash continues the item before it.
  private static func block(_ lines: [String]) -> [HTML] {
    guard let first = lines.first, first.hasPrefix("- ") else {
      return ["<p>\(inline(lines.joined(separator: " ")))</p>"]
    }
    var items: [String] = []
    for line in lines {
      if line.hasPrefix("- ") {
        items.append(String(line.dropFirst(2)))
      } else if let last = items.popLast() {
        items.append(last + " " + line)
      }
    }
    let html = items.map { "<li>\(inline($0))</li>" as HTML }
    return ["<ul>\(html)</ul>"]
  }

  private static let marks: [(mark: String, open: HTML, close: HTML)] = [
    ("**", "<strong>", "</strong>"), ("*", "<em>", "</em>"), ("`", "<code>", "</code>"),
  ]

  /// A mark without its partner stays as it is.
  static func inline(_ text: String) -> HTML {
    var html: HTML = ""
    var plain = ""
    var rest = Substring(text)
    while let character = rest.first {
      if let mark = marks.first(where: { rest.hasPrefix($0.mark) }) {
        let inside = rest.dropFirst(mark.mark.count)
        if let end = inside.firstRange(of: mark.mark), end.lowerBound > inside.startIndex {
          let content = String(inside[..<end.lowerBound])
          let body: HTML = mark.mark == "`" ? "\(content)" : inline(content)
          html = "\(html)\(plain)\(mark.open)\(body)\(mark.close)"
          plain = ""
          rest = inside[end.upperBound...]
          continue
        }
      }
      plain.append(character)
      rest.removeFirst()
    }
    return "\(html)\(plain)"
  }
}
