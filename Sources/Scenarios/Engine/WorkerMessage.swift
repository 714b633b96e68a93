import Foundation
import Vocabulary

/// What the runner tells a worker process on its standard input, one JSON object a line.
enum WorkerInput: Codable, Sendable {
  case clock(Timestamp)
  case request(id: Int, BuyerRequest)
}

/// What a worker process tells the runner on its standard output, one JSON object a line.
enum WorkerOutput: Codable, Sendable {
  /// Requests may come.
  case ready
  /// `conflicts`: how many the process has met so far.
  case answer(id: Int, BuyerAnswer, conflicts: Int)
}

enum JSONLine {
  static func encode(_ message: some Encodable) throws -> String {
    String(decoding: try JSONEncoder().encode(message), as: UTF8.self) + "\n"
  }

  static func decode<Message: Decodable>(_ line: String, as _: Message.Type = Message.self) throws -> Message {
    try JSONDecoder().decode(Message.self, from: Data(line.utf8))
  }
}
