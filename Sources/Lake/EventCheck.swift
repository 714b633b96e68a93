/// Follows the events of a lake from line to line: positions, stream versions, dates and bills.
struct EventCheck {
  private(set) var count: Int64 = 0
  private(set) var nextPosition: Int64 = 1
  /// Of the last event read.
  private(set) var lastID: String?
  private(set) var streams = StreamVersions()
  private(set) var billing = LakeBilling()
  private var encoder = LineEncoder()

  /// Goes on at a position although the events before it could not be read.
  mutating func skip(to position: Int64) {
    streams.noteGap()
    nextPosition = position
    lastID = nil
  }

  mutating func check(
    _ line: UnsafeRawBufferPointer, number: Int64, in file: ManifestEntry.File
  ) -> [LakeProblem] {
    do {
      return check(
        try LineParser.parse(line), line: number, in: file.path, eventDate: file.eventDate)
    } catch {
      defer { skip(to: nextPosition + 1) }
      let message = "expected \(error.expected) at byte \(error.offset + 1) of the line"
      return [
        LakeProblem(
          kind: .lineInvalid, file: file.path, line: number, position: nextPosition, message: message)
      ]
    }
  }

  /// Checks the next event.
  mutating func check(
    _ record: LakeRecord, line: Int64? = nil, in file: String, eventDate: String
  ) -> [LakeProblem] {
    func problem(_ kind: LakeProblem.Kind, _ message: String) -> LakeProblem {
      LakeProblem(kind: kind, file: file, line: line, position: record.position, message: message)
    }
    guard record.position >= nextPosition else {
      return [problem(.position, "expected position \(nextPosition): this event was there before")]
    }
    var problems: [LakeProblem] = []
    if record.position > nextPosition {
      let missing = record.position - nextPosition
      problems.append(
        problem(.position, "expected position \(nextPosition): \(missing) events are missing"))
      skip(to: record.position)
    }
    nextPosition += 1
    count += 1
    lastID = record.id.uuidString.lowercased()

    if let expected = streams.mismatch(of: record.stream, at: record.version) {
      problems.append(
        problem(
          .streamVersion, "expected version \(expected) of stream \(record.stream), found \(record.version)"))
    }
    let date = encoder.eventDate(record.recordedAt)
    if date != eventDate {
      problems.append(problem(.eventDate, "expected event date \(eventDate), recorded_at is \(date)"))
    }
    for message in billing.apply(record) { problems.append(problem(.billing, message)) }
    return problems
  }
}
