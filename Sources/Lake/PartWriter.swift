import Crypto

import struct Foundation.UUID

/// One data file while it is being written, under `_temporary`, and its hash.
final class PartWriter {
  let date: String
  private(set) var uncompressedBytes: Int64 = 0

  private let firstPosition: Int64
  private var lastPosition: Int64
  private var bytes: Int64 = 0
  private var hash = SHA256()
  private let file: File
  private let compressor: ZstdCompressor
  /// Lines that are not a whole block yet.
  private var buffer: [UInt8] = []
  private let step: ExportStepHook

  /// A finished data file that still has its temporary name.
  struct Finished {
    let temporaryPath: String
    let file: ManifestEntry.File
  }

  init(
    layout: LakeLayout, date: String, firstPosition: Int64, level: Int32, step: @escaping ExportStepHook
  ) throws {
    self.date = date
    self.firstPosition = firstPosition
    self.step = step
    lastPosition = firstPosition - 1
    // Unique, so that exporters that share a lake never write to one file.
    let name = "part-\(LakeLayout.padded(firstPosition))-\(UUID().uuidString)"
    let path = "\(layout.temporary)/\(name)\(LakeLayout.temporarySuffix)"
    compressor = try ZstdCompressor(path: path, level: level)
    file = try File.create(path)
    buffer.reserveCapacity(2 * ZstdCompressor.blockBytes)
    try step(.temporaryCreated)
  }

  var temporaryPath: String { file.path }

  func append(_ record: LakeRecord, using encoder: LineEncoder) throws {
    let before = buffer.count
    try encoder.append(record, to: &buffer)
    uncompressedBytes += Int64(buffer.count - before)
    lastPosition = record.position
    if buffer.count >= ZstdCompressor.blockBytes { try writeBlocks() }
  }

  /// Compresses what is left and flushes the file to the disk.
  func finish(tenant: Int32) throws -> Finished {
    try compress(0..<buffer.count, last: true)
    buffer.removeAll()
    try step(.temporaryWritten)
    try file.synchronize()
    try step(.temporaryFlushed)
    return Finished(
      temporaryPath: file.path,
      file: ManifestEntry.File(
        path: LakeLayout.part(tenant: tenant, date: date, first: firstPosition, last: lastPosition),
        eventDate: date, firstPosition: firstPosition, lastPosition: lastPosition,
        count: lastPosition - firstPosition + 1, bytes: bytes, uncompressedBytes: uncompressedBytes,
        sha256: hash.finalize().hexadecimal))
  }

  private func writeBlocks() throws {
    let block = ZstdCompressor.blockBytes
    var start = 0
    while buffer.count - start >= block {
      try compress(start..<start + block, last: false)
      start += block
      try step(.blockWritten)
    }
    buffer.removeSubrange(..<start)
  }

  private func compress(_ range: Range<Int>, last: Bool) throws(LakeError) {
    try buffer.withBytes { (all) throws(LakeError) in
      try compressor.compress(UnsafeRawBufferPointer(rebasing: all[range]), last: last) {
        (output) throws(LakeError) in
        try file.write(output)
        hash.update(bufferPointer: output)
        bytes += Int64(output.count)
      }
    }
  }
}
