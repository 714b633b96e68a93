/// One stream's part of an atomic append. Without events it is a condition on a stream that is only read.
public struct StreamAppend: Sendable {
  public let stream: StreamName
  public let expecting: ExpectedVersion
  public let events: [NewEvent]

  public init(_ stream: StreamName, expecting: ExpectedVersion, _ events: [NewEvent] = []) {
    self.stream = stream
    self.expecting = expecting
    self.events = events
  }

  func validate() throws(AppendError) {
    let (category, id) = (stream.category.unicodeScalars, stream.id)
    if category.isEmpty || category.contains("-") || id.isEmpty {
      throw .invalid("\"\(stream)\" is not a stream name of the form category-id")
    }
    let name = stream.description
    if name.utf8.count > 500 { throw .invalid("the stream name is longer than 500 bytes") }
    if name.utf8.contains(0) { throw .invalid("the stream name contains a NUL character") }
    if case .version(let version) = expecting, version < 0 {
      throw .invalid("version \(version) is expected of \(stream); versions begin with 1, and 0 is no stream")
    }
    for event in events { try event.validate() }
  }
}
