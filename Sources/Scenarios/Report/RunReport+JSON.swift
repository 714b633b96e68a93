import Foundation

extension RunReport {
  /// Pretty-printed UTF-8 with sorted keys, so that two reports can be compared line by line.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  public init(json: String) throws {
    self = try JSONDecoder().decode(RunReport.self, from: Data(json.utf8))
  }
}
