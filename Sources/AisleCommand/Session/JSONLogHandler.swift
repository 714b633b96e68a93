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
    var fields: [String: Any] = [
      "time": TimeSource.system.now.rfc3339, "level": event.level.rawValue, "logger": label,
      "message": event.message.description,
    ]
    let all = metadata.merging(metadataProvider?.get() ?? [:]) { _, new in new }
      .merging(event.metadata ?? [:]) { _, new in new }
    for (key, value) in all where fields[key] == nil { fields[key] = value.json }
    guard
      var line = try? JSONSerialization.data(
        withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return }
    line.append(UInt8(ascii: "\n"))
    // One write a record, so that the lines of several tasks do not mix. A log that cannot be written (a full disk,
    // a reader that has gone) is no reason to stop selling.
    try? FileHandle.standardError.write(contentsOf: line)
  }
}

extension Logger.MetadataValue {
  fileprivate var json: Any {
    switch self {
    case .string(let text): text
    case .stringConvertible(let value): value.description
    case .array(let values): values.map(\.json)
    case .dictionary(let values): values.mapValues(\.json)
    }
  }
}
