import EventStore

import struct Foundation.URL

extension LakeExporter {
  /// Exports a store's whole log, as far as it reaches once the lake is free, or through `position`.
  @discardableResult
  public static func export(
    _ store: EventStore, to directory: URL, through position: Position? = nil,
    options: LakeExportOptions = LakeExportOptions(),
    progress: @escaping @Sendable (LakeProgress) -> Void = { _ in }
  ) async throws -> LakeExportSummary {
    let identity = LakeIdentity(tenant: store.tenant, log: try await store.logID())
    let exporter = LakeExporter(directory: directory, identity: identity, options: options)
    return try await exporter.export(
      through: position?.rawValue, head: { try await store.head().rawValue },
      reading: { after, through, deliver in
        try await store.export(after: Position(after), through: Position(through)) { batch in
          try await deliver(batch.map(LakeRecord.init))
        }
      }, progress: progress)
  }
}

extension LakeRecord {
  public init(_ event: RecordedEvent) {
    self.init(
      position: event.position.rawValue, stream: event.stream.description, category: event.stream.category,
      version: event.version, id: event.id, type: event.type, schemaVersion: event.schemaVersion,
      recordedAt: event.recordedAt, actor: event.metadata.actor,
      correlationID: event.metadata.correlationID, causationID: event.metadata.causationID,
      traceparent: event.metadata.traceparent, data: event.data)
  }
}
