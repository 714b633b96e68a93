import EventStore
import Foundation
import Logging
import Services
import Vocabulary

/// Log records as JSON lines on standard error, one object a line, for whatever ships logs.
struct JSONLogHandler: LogHandler {
  let label: String
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  init(label: String, level: Logger.Level) {
    self.label = label
    logLevel = level
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var record: Logger.Metadata = metadata.merging(metadataProvider?.get() ?? [:]) { _, new in new }
      .merging(event.metadata ?? [:]) { _, new in new }
    record["time"] = "\(TimeSource.system.now.rfc3339)"
    record["level"] = "\(event.level.rawValue)"
    record["logger"] = "\(label)"
    record["message"] = "\(event.message)"
    guard var line = try? PayloadEncoder().encode(Field(value: .dictionary(record))) else { return }
    line.append(UInt8(ascii: "\n"))
    // One write a record, so that the lines of several tasks do not mix. A log that cannot be written (a full disk,
    // a reader that has gone) is no reason to stop selling.
    try? FileHandle.standardError.write(contentsOf: Data(line))
  }
}

private struct Field: Encodable {
  let value: Logger.MetadataValue

  func encode(to encoder: any Encoder) throws {
    switch value {
    case .string(let text): try encoder.write(text)
    case .stringConvertible(let value): try encoder.write(value.description)
    case .array(let values): try encoder.write(values.map(Field.init))
    case .dictionary(let values):
      var container = encoder.container(keyedBy: Key.self)
      // Sorted, so that a person finds a field at the same place in each line.
      for (key, value) in values.sorted(by: { $0.key < $1.key }) {
        try container.encode(Field(value: value), forKey: Key(stringValue: key))
      }
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }
}

extension Encoder {
  fileprivate func write(_ value: some Encodable) throws {
    var container = singleValueContainer()
    try container.encode(value)
  }
}
