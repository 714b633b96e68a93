import Crypto
import Glibc

/// Reads one data file line by line, and hashes it on the way. Memory: a few buffers and the longest line.
struct PartReader {
  /// PostgreSQL's `jsonb` ends at 255 MB, so no event makes a longer line.
  static let maximumLineBytes = 256 << 20

  struct Outcome {
    var sha256 = ""
    var bytes: Int64 = 0
    var uncompressedBytes: Int64 = 0
    var lines: Int64 = 0
    /// Why the lines end early, if they do.
    var damage: String?
  }

  /// `line` gets each line's number, from 1, and its bytes without the line end.
  static func read(
    _ path: String, maximumLineBytes: Int = PartReader.maximumLineBytes,
    line: (Int64, UnsafeRawBufferPointer) -> Void
  ) throws(LakeError) -> Outcome {
    var outcome = Outcome()
    var splitter = LineSplitter()
    var decompressor: ZstdDecompressor?
    do { decompressor = try ZstdDecompressor() } catch { outcome.damage = error.reason }
    outcome.sha256 = try hash(path) { chunk in
      outcome.bytes += Int64(chunk.count)
      guard outcome.damage == nil, let decompressor else { return }
      do throws(ZstdDecompressor.Failure) {
        try decompressor.decompress(chunk) { (output) throws(ZstdDecompressor.Failure) in
          outcome.uncompressedBytes += Int64(output.count)
          splitter.split(output, line: line)
          guard splitter.restCount <= maximumLineBytes else {
            throw ZstdDecompressor.Failure(reason: "a line does not end")
          }
        }
      } catch {
        outcome.damage = error.reason
      }
    }
    outcome.lines = splitter.lines
    if outcome.damage == nil, decompressor?.isAtFrameEnd == false {
      outcome.damage = "the file ends within a zstd frame"
    }
    if outcome.damage == nil, splitter.restCount > 0 { outcome.damage = "the last line does not end" }
    return outcome
  }

  /// The SHA-256 of a whole file.
  static func digest(of path: String) throws(LakeError) -> String { try hash(path) { _ in } }

  private static func hash(
    _ path: String, chunk: (UnsafeRawBufferPointer) -> Void
  ) throws(LakeError) -> String {
    let file = try File.read(path)
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = try buffer.withMutableBytes { (bytes) throws(LakeError) in try file.read(into: bytes) }
      if count == 0 { return hash.finalize().hexadecimal }
      buffer.withUnsafeBytes { bytes in
        let read = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        hash.update(bufferPointer: read)
        chunk(read)
      }
    }
  }
}

/// Finds the lines in a stream that comes in pieces.
private struct LineSplitter {
  private(set) var lines: Int64 = 0
  private var rest: [UInt8] = []

  var restCount: Int { rest.count }

  mutating func split(_ piece: UnsafeRawBufferPointer, line: (Int64, UnsafeRawBufferPointer) -> Void) {
    var start = 0
    while let base = piece.baseAddress, start < piece.count,
      let found = memchr(base + start, Int32(UInt8.newline), piece.count - start)
    {
      let end = UnsafeRawPointer(found) - base
      let bytes = UnsafeRawBufferPointer(rebasing: piece[start..<end])
      lines += 1
      if rest.isEmpty {
        line(lines, bytes)
      } else {
        rest.append(contentsOf: bytes)
        rest.withUnsafeBytes { line(lines, $0) }
        rest.removeAll(keepingCapacity: true)
      }
      start = end + 1
    }
    rest.append(contentsOf: piece[start...])
  }
}
