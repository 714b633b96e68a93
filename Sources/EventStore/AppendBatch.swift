import Foundation
import PostgreSQL
import Vocabulary

/// Several atomic appends as the arguments of `aisle.append_batch`, and its answer as their outcomes.
struct AppendBatch {
  private static let statement = """
    select outcomes, versions, positions from aisle.append_batch(
      $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
    """

  private let appends: [AtomicAppend]
  let sql: SQL

  init(_ appends: [AtomicAppend], tenant: TenantID) {
    self.appends = appends
    var names: [String] = []
    var categories: [String] = []
    var indexes: [StreamName: Int32] = [:]
    var operations = (append: [Int32](), stream: [Int32](), expected: [Int64](), events: [Int32]())
    var firstEvents: [UUID?] = []
    var places = (operation: [Int32](), index: [Int32]())
    var events: [NewEvent] = []
    var conditions = (append: [Int32](), after: [Int64](), tags: [String?](), types: [String?]())
    for (number, append) in appends.enumerated() {
      firstEvents.append(append.firstEventID)
      for part in append.parts {
        let stream: Int32
        if let known = indexes[part.stream] {
          stream = known
        } else {
          names.append(part.stream.description)
          categories.append(part.stream.category)
          stream = Int32(names.count)
          indexes[part.stream] = stream
        }
        operations.append.append(Int32(number + 1))
        operations.stream.append(stream)
        operations.expected.append(part.expecting.wireValue)
        operations.events.append(Int32(part.events.count))
        for index in part.events.indices {
          places.operation.append(Int32(operations.append.count))
          places.index.append(Int32(index + 1))
        }
        events.append(contentsOf: part.events)
      }
      for condition in append.conditions {
        conditions.append.append(Int32(number + 1))
        conditions.after.append(condition.after.rawValue)
        conditions.tags.append(condition.tags.postgresText)
        conditions.types.append(condition.types.postgresText)
      }
    }
    let tags = events.contains { !$0.tags.isEmpty } ? events.map(\.tags.postgresText) : []
    sql = SQL(
      Self.statement,
      [
        PostgresParameter(tenant.rawValue), PostgresParameter(names), PostgresParameter(categories),
        PostgresParameter(operations.append), PostgresParameter(operations.stream),
        PostgresParameter(operations.expected), PostgresParameter(operations.events),
        PostgresParameter(firstEvents), PostgresParameter(places.operation), PostgresParameter(places.index),
        PostgresParameter(events.map(\.id)), PostgresParameter(events.map(\.type)),
        PostgresParameter(events.map(\.schemaVersion)), PostgresParameter(events.map(\.metadata.actor)),
        PostgresParameter(events.map(\.metadata.correlationID)),
        PostgresParameter(events.map(\.metadata.causationID)),
        PostgresParameter(events.map(\.metadata.traceparent)),
        PostgresParameter(events.map { JSONB($0.data) }), PostgresParameter(tags),
        PostgresParameter(conditions.append), PostgresParameter(conditions.after),
        PostgresParameter(conditions.tags), PostgresParameter(conditions.types),
      ])
  }

  /// One outcome for each append, in order.
  func outcomes(_ rows: Rows) throws(PostgresError) -> [Result<AppendOutcome, AppendError>] {
    guard let row = rows.first else { throw PostgresError(.decoding, "append_batch returned no row") }
    let (outcomes, versions, positions) = try row.decode([Int16].self, [Int64].self, [Int64].self)
    let expected = appends.reduce(0) { $0 + $1.parts.count }
    guard outcomes.count == expected, versions.count == expected, positions.count == expected else {
      throw PostgresError(.decoding, "append_batch answered for \(outcomes.count) of \(expected) operations")
    }
    var next = 0
    return appends.map { append in
      let parts = append.parts
      defer { next += parts.count }
      let range = next..<next + parts.count
      if outcomes[range].contains(3) { return .failure(.eventIDReused) }
      if let index = range.first(where: { outcomes[$0] == 4 }) {
        return .success(.conflict(AppendConflict(streams: [], excludedEvent: Position(positions[index]))))
      }
      if outcomes[range].contains(1) {
        return .success(
          .conflict(
            AppendConflict(
              streams: zip(parts, range).filter { outcomes[$1] == 1 }.map { part, index in
                .init(name: part.stream, expected: part.expecting, actual: versions[index])
              })))
      }
      let receipt = AppendReceipt(
        streams: zip(parts, range).map { part, index in
          .init(
            name: part.stream, version: versions[index],
            position: part.events.isEmpty ? nil : Position(positions[index]))
        })
      return .success(outcomes[range].contains(2) ? .duplicate(receipt) : .committed(receipt))
    }
  }
}

extension [String] {
  /// An array of PostgreSQL in its text form; nil if it is empty.
  fileprivate var postgresText: String? {
    guard !isEmpty else { return nil }
    let quoted = map { text in
      // Hardly any has something to escape, and looking for it is all that most of them need.
      guard text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") }) else {
        return "\"" + text + "\""
      }
      return "\"" + text.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#) + "\""
    }
    return "{" + quoted.joined(separator: ",") + "}"
  }
}
