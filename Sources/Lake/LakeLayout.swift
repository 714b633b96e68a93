/// Where everything lies in a lake's directory.
///
/// ```
/// _lock                                                    held while an export runs
/// _manifest/00000000000000000001.json                      the commits, in order
/// _temporary/…                                             files being written
/// events/tenant=1/event_date=2026-11-24/part-….ndjson.zst  the data
/// ```
struct LakeLayout: Sendable {
  static let formatVersion = 1
  static let temporarySuffix = ".tmp"
  /// Positions, versions and counts of a lake. More is damage, and arithmetic with what is accepted cannot overflow.
  static let numbers: ClosedRange<Int64> = 1...1 << 62

  let root: String

  init(root: String) {
    self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
  }

  var lock: String { root + "/_lock" }
  var manifest: String { root + "/_manifest" }
  var temporary: String { root + "/_temporary" }

  func absolute(_ relative: String) -> String { root + "/" + relative }

  func entry(_ number: Int64) -> String { "\(manifest)/\(Self.padded(number)).json" }

  /// The number of a manifest entry, or nil when the name is not one.
  static func entryNumber(_ name: String) -> Int64? {
    guard name.hasSuffix(".json") else { return nil }
    return number(name.dropLast(5))
  }

  static func tenantDirectory(_ tenant: Int32) -> String { "events/tenant=\(tenant)" }

  static func dateDirectory(_ tenant: Int32, _ date: String) -> String {
    "\(tenantDirectory(tenant))/event_date=\(date)"
  }

  static func part(tenant: Int32, date: String, first: Int64, last: Int64) -> String {
    "\(dateDirectory(tenant, date))/part-\(padded(first))-\(padded(last)).ndjson.zst"
  }

  /// Only names of this shape are ever removed from a lake.
  static func isPart(_ name: String) -> Bool {
    let prefix = "part-"
    let suffix = ".ndjson.zst"
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
    let range = name.dropFirst(prefix.count).dropLast(suffix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    return range.count == 2 && range.allSatisfy { number($0) != nil }
  }

  private static func number(_ digits: some StringProtocol) -> Int64? {
    digits.utf8.count == 20 && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int64(digits) : nil
  }

  static func padded(_ number: Int64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
  }
}
