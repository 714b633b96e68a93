import struct Foundation.UUID

/// Cuts the events into files of JSON lines, and commits them as entries of the manifest.
final class ManifestSink: LakeSink {
  private let layout: LakeLayout
  private let options: LakeExportOptions
  private let identity: LakeIdentity
  private let step: ExportStepHook
  private let targetBytes: Int64

  private var committer: Committer
  private var encoder = LineEncoder()
  /// The file that is being written.
  private var part: PartWriter?
  /// Files of the next entry.
  private var pending: [PartWriter.Finished] = []
  private var lastID: UUID?
  private(set) var committed = LakeCommitted()

  init(
    layout: LakeLayout, identity: LakeIdentity, options: LakeExportOptions, step: @escaping ExportStepHook
  ) {
    self.layout = layout
    self.options = options
    self.identity = identity
    self.step = step
    targetBytes = options.targetBytes ?? LakeFormat.ndjson.targetBytes
    committer = Committer(layout: layout, identity: identity, step: step)
  }

  func prepare() throws { try committer.prepare() }

  func refresh() throws { try committer.refresh() }

  var end: LakeEnd {
    let last = committer.manifest.last
    let position = committer.manifest.lastPosition
    return LakeEnd(position: position, eventID: last?.lastEventID, furthest: position)
  }

  @discardableResult
  func removeOrphans() throws -> Int { try committer.removeOrphans() }

  func append(_ record: LakeRecord) throws -> Int64 {
    let date = encoder.eventDate(record.recordedAt)
    if let part, part.date != date { try closePart() }
    let part = try part ?? openPart(date: date, firstPosition: record.position)
    let before = part.uncompressedBytes
    try part.append(record, using: encoder)
    let bytes = part.uncompressedBytes - before
    lastID = record.id
    if part.uncompressedBytes >= targetBytes { try closePart() }
    return bytes
  }

  func finish() throws {
    try closePart()
    try commit()
  }

  func discard() {
    let paths = pending.map(\.temporaryPath) + (part.map { [$0.temporaryPath] } ?? [])
    for path in paths { try? Directory.remove(path) }
    pending = []
    part = nil
  }

  private func openPart(date: String, firstPosition: Int64) throws -> PartWriter {
    let part = try PartWriter(
      layout: layout, date: date, firstPosition: firstPosition, level: options.compressionLevel, step: step)
    self.part = part
    return part
  }

  private func closePart() throws {
    guard let part else { return }
    pending.append(try part.finish(tenant: identity.tenant.rawValue))
    self.part = nil
    let bytes = pending.reduce(0) { $0 + $1.file.uncompressedBytes }
    if bytes >= targetBytes || pending.count >= options.filesPerEntry { try commit() }
  }

  private func commit() throws {
    guard !pending.isEmpty, let lastID else { return }
    try committer.commit(pending, lastEventID: lastID.uuidString.lowercased())
    committed.entries += 1
    committed.files += pending.count
    for part in pending {
      committed.events += part.file.count
      committed.uncompressedBytes += part.file.uncompressedBytes
      committed.compressedBytes += part.file.bytes
    }
    pending = []
  }
}
