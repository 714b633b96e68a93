import Crypto
import Parquet

import struct Foundation.UUID

/// One data file of a table while it is being written, under `_temporary`, and its hash.
final class DeltaPart {
  /// The values of the partition's columns, in their order.
  let partition: [String]
  let writer: ParquetWriter

  private let schema: DeltaSchema
  private let output: Output
  private let step: ExportStepHook

  /// A finished data file that still has its temporary name.
  struct Finished {
    let temporaryPath: String
    /// Relative to the lake.
    let path: String
    let sha256: String
    let uncompressedBytes: Int64
    let add: DeltaAction.Add
    let rows: Int64
  }

  private final class Output {
    let file: File
    var hash = SHA256()
    var bytes: Int64 = 0

    init(_ file: consuming File) { self.file = file }

    func write(_ piece: UnsafeRawBufferPointer) throws {
      try file.write(piece)
      hash.update(bufferPointer: piece)
      bytes += Int64(piece.count)
    }
  }

  init(
    _ schema: DeltaSchema, partition: [String], layout: LakeLayout, level: Int32,
    step: @escaping ExportStepHook
  ) throws {
    self.schema = schema
    self.partition = partition
    self.step = step
    // Unique, so that exporters that share a lake never write to one file.
    let path = "\(layout.temporary)/\(schema.name)-\(UUID().uuidString)\(LakeLayout.temporarySuffix)"
    var options = ParquetWriter.Options()
    options.compression = .zstd(level: level)
    options.rowGroupBytes = DeltaTable.rowGroupBytes
    let output = Output(try File.create(path))
    self.output = output
    writer = try ParquetWriter(columns: schema.parquet, options: options) { try output.write($0) }
    try step(.temporaryCreated)
  }

  var temporaryPath: String { output.file.path }

  /// Writes what is held in memory to the disk.
  func spill() throws {
    try writer.endRowGroup()
    try step(.blockWritten)
  }

  /// Ends the file and flushes it to the disk. It is named by the positions that the commit covers, so that a retry
  /// writes the same files.
  func finish(first: Int64, last: Int64, modified: Int64) throws -> Finished {
    try writer.finish()
    try step(.temporaryWritten)
    try output.file.synchronize()
    try step(.temporaryFlushed)
    let columns = schema.partitionColumns.map(\.name)
    let folders = zip(columns, partition).map { DeltaPath.folder($0, $1) }
    let name = "part-\(LakeLayout.padded(first))-\(LakeLayout.padded(last))\(LakeLayout.deltaSuffix)"
    let path = (folders + [name]).joined(separator: "/")
    let statistics = DeltaStatistics(writer.statistics, of: schema.columns, rows: writer.rows)
    let sha256 = output.hash.finalize().hexadecimal
    return Finished(
      temporaryPath: output.file.path, path: "\(schema.name)/\(path)", sha256: sha256,
      uncompressedBytes: writer.uncompressedBytes,
      add: DeltaAction.Add(
        path: DeltaPath.encoded(path),
        partitionValues: Dictionary(uniqueKeysWithValues: zip(columns, partition)),
        size: output.bytes, modificationTime: modified, dataChange: true, stats: try statistics.text(),
        tags: [
          DeltaAction.Add.digestTag: sha256,
          DeltaAction.Add.uncompressedTag: "\(writer.uncompressedBytes)",
        ]),
      rows: writer.rows)
  }
}
