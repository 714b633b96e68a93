import Foundation
import Testing
import Vocabulary

@testable import Lake

@Suite("a line")
struct LineTests {
  @Test("read back is the event that was written")
  func roundTrip() throws {
    for record in TestLog.random(500, seed: 80).records {
      var line: [UInt8] = []
      try LineEncoder().append(record, to: &line)
      #expect(line.last == .newline)
      #expect(!line.dropLast().contains(.newline))
      let read = try line.dropLast().withUnsafeBytes { try LineParser.parse($0) }
      #expect(read == record)
    }
  }

  @Test("damaged anywhere is refused or means another event, and never crashes")
  func damaged() throws {
    let seed = UInt64(81)
    var generator = SeededGenerator(seed: seed)
    let record = try #require(TestLog.random(3, seed: 82).records.last)
    var line: [UInt8] = []
    try LineEncoder().append(record, to: &line)
    line.removeLast()
    for _ in 0..<20_000 {
      var damaged = line
      let index = Int.random(in: 0..<damaged.count, using: &generator)
      if Bool.random(using: &generator) {
        damaged[index] = UInt8.random(in: 0...255, using: &generator)
      } else {
        damaged.removeSubrange(index..<min(damaged.count, index + Int.random(in: 1...4, using: &generator)))
      }
      guard damaged != line else { continue }
      let read = try? damaged.withUnsafeBytes { try LineParser.parse($0) }
      #expect(read != record, "seed \(seed), byte \(index)")
    }
  }
}

@Suite("a data file")
struct PartReaderTests {
  /// One frame of blocks of 128 KB that repeat a byte: four bytes each.
  private func bomb(blocks: Int, of byte: Character) -> Data {
    var frame = Data([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38])
    for block in 1...blocks {
      let header: UInt32 = (128 << 10) << 3 | 1 << 1 | (block == blocks ? 1 : 0)
      frame.append(contentsOf: [UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16)])
      frame.append(byte.asciiValue ?? 0)
    }
    return frame
  }

  private func read(_ data: Data) throws -> PartReader.Outcome {
    let lake = TestLake()
    try FileManager.default.createDirectory(at: lake.directory, withIntermediateDirectories: true)
    try data.write(to: lake.url("bomb"))
    return try PartReader.read(lake.url("bomb").path, maximumLineBytes: 1 << 20) { _, _ in }
  }

  @Test("of a few bytes that decompress to a line without end is given up at the limit")
  func bomb() throws {
    let outcome = try read(bomb(blocks: 4096, of: "a"))
    #expect(outcome.damage == "a line does not end")
    #expect(outcome.uncompressedBytes <= 1 << 20 + 1 << 18)
  }

  @Test("may be much longer than its longest line")
  func manyLines() throws {
    let outcome = try read(bomb(blocks: 9, of: "\n"))
    #expect(outcome.damage == nil)
    #expect(outcome.lines == 9 * 128 << 10)
  }
}

@Suite("compression")
struct CompressionTests {
  @Test("gives back what went in, and stops at anything else")
  func roundTrip() throws {
    var generator = SeededGenerator(seed: 83)
    for size in [0, 1, 1000, ZstdCompressor.blockBytes, 3 * ZstdCompressor.blockBytes + 5] {
      let text = (0..<size).map { _ in UInt8.random(in: 0...15, using: &generator) }
      var compressed: [UInt8] = []
      let compressor = try ZstdCompressor(path: "x", level: 3)
      try text.withBytes { (bytes) throws(LakeError) in
        try compressor.compress(bytes, last: true) { (piece) throws(LakeError) in
          compressed.append(contentsOf: piece)
        }
      }
      var restored: [UInt8] = []
      let decompressor = try ZstdDecompressor()
      for byte in compressed {
        try [byte].withUnsafeBytes { try decompressor.decompress($0) { restored.append(contentsOf: $0) } }
      }
      #expect(restored == text)
      #expect(decompressor.isAtFrameEnd)
      #expect(throws: ZstdDecompressor.Failure.self) {
        try [1, 2, 3, 4, 5, 6].withUnsafeBytes { try decompressor.decompress($0) { _ in } }
      }
    }
  }
}
