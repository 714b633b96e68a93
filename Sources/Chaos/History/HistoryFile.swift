import Foundation

/// Histories as files of JSON lines.
public enum HistoryFile {
  public struct Unreadable: Error, CustomStringConvertible {
    public let description: String
  }

  /// Reads a file. A last line without its end belongs to a process that was killed while it wrote, before it did
  /// what it was about to record, and is passed over.
  public static func read(_ path: String) throws -> [HistoryRecord] {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
    } catch {
      throw Unreadable(description: "\(path) cannot be read; is it the file of a history?")
    }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    if let end = data.last, end != UInt8(ascii: "\n") { lines.removeLast() }
    let decoder = JSONDecoder()
    return try lines.enumerated().map { index, line in
      do {
        return try decoder.decode(HistoryRecord.self, from: line)
      } catch {
        throw Unreadable(description: "\(path):\(index + 1): not a record of a history: \(error)")
      }
    }
  }

  /// Writes records to a new file, replacing one of that name.
  public static func write(_ records: [HistoryRecord], to path: String) throws {
    var data = Data()
    let encoder = JSONEncoder()
    for record in records {
      data.append(try encoder.encode(record))
      data.append(UInt8(ascii: "\n"))
    }
    try data.write(to: URL(filePath: path))
  }
}
