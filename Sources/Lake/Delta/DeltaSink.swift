import Vocabulary

import struct Foundation.UUID

/// Adds the events to the tables of a Delta lake.
///
/// A commit is of one table; the table of events is committed last. So wherever it ends, the other tables hold all that
/// is due up to there, and perhaps more, which the next export does not repeat.
final class DeltaSink: LakeSink {
  /// Above this, what the tables hold in memory is written to the disk.
  private static let mostBufferedBytes = 48 << 20
  private static let eventsBetweenLooks = 1024

  private let layout: LakeLayout
  private let options: LakeExportOptions
  private let identity: LakeIdentity
  private let step: ExportStepHook
  private let targetBytes: Int64

  private let events: DeltaTable
  private let facts: [(fact: FactTable, table: DeltaTable)]
  private var encoder = LineEncoder()
  /// What happened to accounts before the next event; read from the lake when the first event comes.
  private var rows: FactRows?

  private var lastRecord: (position: Int64, eventID: UUID, recordedAt: Timestamp)?
  private var pendingEvents = 0
  private var pendingBytes: Int64 = 0
  private(set) var committed = LakeCommitted()

  init(
    layout: LakeLayout, identity: LakeIdentity, options: LakeExportOptions, step: @escaping ExportStepHook
  ) {
    self.layout = layout
    self.options = options
    self.identity = identity
    self.step = step
    targetBytes = options.targetBytes ?? LakeFormat.delta.targetBytes
    func table(_ schema: DeltaSchema) -> DeltaTable {
      DeltaTable(
        schema, layout: layout, identity: identity, level: options.compressionLevel, step: step)
    }
    facts = FactTable.allCases.map { ($0, table($0.schema)) }
    events = table(EventTable.schema)
  }

  private var tables: [DeltaTable] { facts.map(\.table) + [events] }

  func prepare() throws {
    for table in tables { try table.prepare() }
  }

  func refresh() throws {
    rows = nil
    for table in tables { try table.refresh() }
    try step(.manifestRead)
  }

  var end: LakeEnd {
    let least = tables.min { $0.log.lastPosition < $1.log.lastPosition }
    return LakeEnd(
      position: least?.log.lastPosition ?? 0, eventID: least?.log.lastEventID,
      furthest: tables.map(\.log.lastPosition).max() ?? 0)
  }

  func append(_ record: LakeRecord) throws -> Int64 {
    let payload = try PayloadFields(record)
    let rows = try self.rows ?? factRows(before: record.position)
    self.rows = rows
    let date = encoder.eventDate(record.recordedAt)
    for (fact, table) in facts {
      if record.position <= table.log.lastPosition { try confirm(record, table) }
      let isNew = record.position > table.log.lastPosition
      // Also for what the table has already: the rows that follow depend on what happened before.
      try rows.make(fact, of: record, payload) { row in
        guard isNew else { return }
        let writer = try table.part(date: date).writer
        for (column, value) in row.enumerated() { try writer.append(value, to: column) }
        try writer.endRow()
      }
    }
    if record.position > events.log.lastPosition {
      let part = try events.part(category: record.category, date: date)
      try EventTable.append(record, to: part.writer)
    } else {
      try confirm(record, events)
    }
    return try note(record)
  }

  private func factRows(before position: Int64) throws -> FactRows {
    guard let log = facts.first(where: { $0.fact == .accounts })?.table.log else { return FactRows() }
    return try FactRows(asOf: position - 1, layout: layout, accounts: log)
  }

  /// Where a table that is further than others ends, it has to have the log's event.
  private func confirm(_ record: LakeRecord, _ table: DeltaTable) throws {
    guard record.position == table.log.lastPosition, let lake = table.log.lastEventID else { return }
    let id = record.id.uuidString.lowercased()
    guard id == lake else {
      throw LakeError.diverged(directory: layout.root, position: record.position, lake: lake, log: id)
    }
  }

  /// Commits when there is enough. All of it depends on the events alone, so that a repeated export cuts alike.
  private func note(_ record: LakeRecord) throws -> Int64 {
    let bytes = Int64(record.data.count + record.stream.utf8.count + record.type.utf8.count) + 96
    lastRecord = (record.position, record.id, record.recordedAt)
    pendingEvents += 1
    pendingBytes += bytes
    if pendingBytes >= targetBytes || events.openFiles >= options.filesPerEntry {
      try commit()
    } else if pendingEvents.isMultiple(of: Self.eventsBetweenLooks) {
      let buffered = tables.reduce(0) { $0 + $1.bufferedBytes }
      if buffered > Self.mostBufferedBytes { for table in tables { try table.spill() } }
    }
    return bytes
  }

  func finish() throws { try commit() }

  private func commit() throws {
    guard let last = lastRecord else { return }
    for table in tables where table.log.lastPosition < last.position {
      let before = table.log.lastPosition
      let parts = try table.commit(
        through: last.position, eventID: last.eventID.uuidString.lowercased(), recordedAt: last.recordedAt)
      committed.entries += 1
      committed.files += parts.count
      committed.uncompressedBytes += parts.reduce(0) { $0 + $1.uncompressedBytes }
      committed.compressedBytes += parts.reduce(0) { $0 + $1.add.size }
      if table === events { committed.events += last.position - before }
    }
    lastRecord = nil
    pendingEvents = 0
    pendingBytes = 0
  }

  func discard() {
    for table in tables { table.discard() }
    rows = nil
    lastRecord = nil
    pendingEvents = 0
    pendingBytes = 0
  }

  @discardableResult
  func removeOrphans() throws -> Int {
    var removed = try FilePlacement(layout: layout, step: step).removeTemporaries()
    for table in tables { removed += try table.removeOrphans() }
    return removed
  }
}
