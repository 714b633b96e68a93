/// Where everything lies in a lake's directory. For those of Delta tables see `LakeLayout+Delta.swift`.
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

  static let events = "events"

  /// The directories that every lake has.
  func prepare() throws(LakeError) {
    var path = root.hasPrefix("/") ? "" : "."
    for name in root.split(separator: "/") {
      let parent = path.isEmpty ? "/" : path
      path += "/" + name
      if try Directory.create(path) { try Directory.synchronize(parent) }
    }
    if try Directory.create(temporary) { try Directory.synchronize(root) }
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

  static func part(tenant: Int32, date: String, first: Int64, last: Int64) -> String {
    "\(events)/tenant=\(tenant)/event_date=\(date)/part-\(padded(first))-\(padded(last)).ndjson.zst"
  }

  /// Whether an export of the tenant, or of any, could have made the file. Only such files are ever removed from a
  /// lake.
  static func isPart(_ path: String, of tenant: Int32?) -> Bool {
    let names = path.split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == 4, names[0] == events, names[2].hasPrefix("event_date=") else { return false }
    let isTenant = tenant.map { names[1] == "tenant=\($0)" } ?? names[1].hasPrefix("tenant=")
    return isTenant && isPartName(names[3])
  }

  /// Whether the name is that of a data file, with this ending.
  static func isPartName(_ name: Substring, suffix: String = ".ndjson.zst") -> Bool {
    let prefix = "part-"
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
