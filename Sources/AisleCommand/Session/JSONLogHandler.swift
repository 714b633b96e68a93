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
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var line = try? encoder.encode(Field(value: .dictionary(record))) else { return }
    line.append(UInt8(ascii: "\n"))
    // One write a record, so that the lines of several tasks do not mix. A log that cannot be written (a full disk,
    // a reader that has gone) is no reason to stop selling.
    try? FileHandle.standardError.write(contentsOf: line)
  }
}

private struct Field: Encodable {
  let value: Logger.MetadataValue

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch value {
    case .string(let text): try container.encode(text)
    case .stringConvertible(let value): try container.encode(value.description)
    case .array(let values): try container.encode(values.map(Field.init))
    case .dictionary(let values): try container.encode(values.mapValues(Field.init))
    }
  }
}
