/// Why a file could not be read.
public enum ParquetReadError: Error, Sendable, Hashable {
  /// It is not what a writer has written.
  case damaged(String)
  /// It may be a good file, but has what ``ParquetWriter`` never writes.
  case unsupported(String)
}

extension ParquetReadError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .damaged(let reason): "the file is damaged: \(reason)"
    case .unsupported(let what): "the file has \(what), which is not read here"
    }
  }
}
