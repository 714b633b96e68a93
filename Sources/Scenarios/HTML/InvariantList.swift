/// The invariants with their evidence, the broken ones first.
struct InvariantList {
  let results: [InvariantResult]

  var html: HTML {
    let ordered = results.filter { !$0.holds } + results.filter(\.holds)
    return "<ul class=\"invariants\">\(ordered.map(item))</ul>"
  }

  private func item(_ result: InvariantResult) -> HTML {
    """
    <li class="\(result.holds ? "holds" : "broken")" id="\(Self.anchor(result))">
      \(Self.mark(result.holds))
      <div>
        <h3>\(result.title)</h3>
        <p class="statement">\(StoryText.inline(result.name.statement))</p>
        <p class="evidence">\(result.evidence)</p>
        \(findings(result))
        \(result.details.map { details($0, isOpen: !result.holds) } ?? .empty)
      </div>
    </li>

    """
  }

  /// Where the result stands on the page; an id must not have spaces.
  static func anchor(_ result: InvariantResult) -> String {
    "invariant-" + String(result.title.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
  }

  static func mark(_ holds: Bool) -> HTML {
    holds
      ? "<span class=\"mark\" role=\"img\" aria-label=\"holds\">✓</span>"
      : "<span class=\"mark\" role=\"img\" aria-label=\"broken\">✗</span>"
  }

  private func findings(_ result: InvariantResult) -> HTML {
    let sources = [("From the log", result.fromLog), ("From the read models", result.fromReadModel)]
    let items = sources.compactMap { source, finding in
      finding.map { finding in
        """
        <li class="\(finding.holds ? "holds" : "broken")"><b>\(finding.holds ? "✓" : "✗") \(source)</b> \
        \(finding.evidence)</li>
        """ as HTML
      }
    }
    return items.isEmpty ? .empty : "<ul class=\"findings\">\(items)</ul>"
  }

  private func details(_ details: InvariantResult.Details, isOpen: Bool) -> HTML {
    let heads = details.columns.map { "<th scope=\"col\">\($0)</th>" as HTML }
    let rows = details.rows.map { row in
      "<tr>\(row.map { "<td>\($0)</td>" as HTML })</tr>\n" as HTML
    }
    let more: HTML =
      details.omitted > 0
      ? "<p class=\"more\">\(Numerals.grouped(details.omitted)) more rows are left out.</p>" : ""
    let count = details.rows.count + details.omitted
    return """
      <details\(isOpen ? " open" : "" as HTML)><summary>\(Numerals.grouped(count)) \(count == 1 ? "row" : "rows") of \
      evidence</summary>
      <div class="scroll"><table><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>\(more)</details>
      """
  }
}
