import Yams

/// A part of a scenario file that has keys. Unknown keys are reported when it is opened.
struct SectionReader {
  let value: ValueReader
  private let what: String
  private let entries: [String: ValueReader]

  /// Returns nil, with a problem reported, if the value has no keys at all.
  init?(_ value: ValueReader, what: String, keys: [String]) {
    guard let mapping = value.node.mapping else {
      value.fail("must be \(what) with the keys \(keys.joined(separator: ", ")), not \(value.shown)")
      return nil
    }
    var entries: [String: ValueReader] = [:]
    for (key, node) in mapping {
      let name = key.scalar?.string ?? ""
      let path = value.path.isEmpty ? name : "\(value.path).\(name)"
      guard keys.contains(name) else {
        let hint = Suggestion.nearest(to: name, among: keys).map { "did you mean \($0)? " } ?? ""
        ValueReader(node: key, path: path, problems: value.problems)
          .fail("\(what) has no such key; \(hint)Allowed: \(keys.joined(separator: ", "))")
        continue
      }
      entries[name] = ValueReader(node: node, path: path, problems: value.problems)
    }
    self.value = value
    self.what = what
    self.entries = entries
  }

  /// The value of a key that may be left out.
  func optional(_ key: String) -> ValueReader? {
    entries[key]
  }

  /// The value of a key that must be there; `example` completes the message if it is not.
  func required(_ key: String, example: String) -> ValueReader? {
    if let entry = entries[key] { return entry }
    value.fail("\(what) needs the key \(key), as in `\(key): \(example)`")
    return nil
  }
}
