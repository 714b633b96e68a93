import Crypto
import Foundation

@testable import Lake

/// What somebody might do to a lake behind our back.
extension TestLake {
  func url(_ path: String) -> URL { directory.appending(path: path) }

  func flipByte(of path: String, at offset: Int) throws {
    var data = try Data(contentsOf: url(path))
    data[offset] ^= 0x10
    try data.write(to: url(path))
  }

  func remove(_ path: String) throws { try FileManager.default.removeItem(at: url(path)) }

  func linesOf(_ path: String) throws -> [String] {
    var lines: [String] = []
    _ = try PartReader.read(url(path).path) { _, line in lines.append(String(decoding: line, as: UTF8.self)) }
    return lines
  }

  /// Replaces a data file's lines, compressed as an export would.
  func rewrite(_ path: String, end: String = "\n", _ change: (inout [String]) -> Void = { _ in }) throws {
    var lines = try linesOf(path)
    change(&lines)
    let text = Array((lines.joined(separator: "\n") + end).utf8)
    var compressed = Data()
    let compressor = try ZstdCompressor(path: path, level: 3)
    try text.withBytes { (bytes) throws(LakeError) in
      try compressor.compress(bytes, last: true) { (output) throws(LakeError) in
        compressed.append(contentsOf: output)
      }
    }
    try compressed.write(to: url(path))
  }

  /// Makes the last manifest entry agree with what its files now are, as somebody who covers his tracks would.
  func coverTracks() throws {
    let layout = LakeLayout(root: directory.path)
    guard let entry = try entries().last else { return }
    var json = try JSONSerialization.jsonObject(with: entry.encodedData()) as? [String: Any] ?? [:]
    json["files"] = try entry.files.map { file in
      let data = try Data(contentsOf: url(file.path))
      let text = try linesOf(file.path).map { $0 + "\n" }.joined()
      var json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(file)) as? [String: Any] ?? [:]
      json["sha256"] = SHA256.hexadecimal(of: Array(data))
      json["bytes"] = data.count
      json["uncompressed_bytes"] = text.utf8.count
      return json
    }
    try JSONSerialization.data(withJSONObject: json).write(to: URL(filePath: layout.entry(entry.number)))
  }

  func changeEntry(_ number: Int64, _ change: (inout [String: Any]) -> Void) throws {
    let file = URL(filePath: LakeLayout(root: directory.path).entry(number))
    var json = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
    change(&json)
    try JSONSerialization.data(withJSONObject: json).write(to: file)
  }
}

extension ManifestEntry {
  fileprivate func encodedData() throws -> Data { Data(try encoded()) }
}
