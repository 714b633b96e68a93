/// Why a file could not be written.
public enum ParquetError: Error, Sendable, Hashable {
  /// A value of another type than the column's.
  case wrongType(column: String)
  /// A null for a column that has none.
  case nullInRequired(column: String)
  /// A row that has no value, or several, for a column.
  case incompleteRow(column: String)
  /// A page of more bytes than the format can count.
  case pageTooLarge(column: String, bytes: Int)
  /// The compressor refused.
  case compression(reason: String)
  /// `finish` was called already.
  case finished
}

extension ParquetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongType(let column): "the value is not of the type of column \(column)"
    case .nullInRequired(let column): "column \(column) is required and cannot be null"
    case .incompleteRow(let column): "the row has not exactly one value for column \(column)"
    case .pageTooLarge(let column, let bytes):
      "a page of column \(column) has \(bytes) bytes, more than the format can hold"
    case .compression(let reason): "a page cannot be compressed: \(reason)"
    case .finished: "the file is finished already"
    }
  }
}
