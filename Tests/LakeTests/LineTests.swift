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
