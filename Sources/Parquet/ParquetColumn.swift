/// One column of a flat table.
public struct ParquetColumn: Sendable, Hashable {
  public let name: String
  public let type: ParquetType
  /// Whether the column may hold nulls.
  public let isOptional: Bool
  public let encoding: Encoding
  /// Whether pages and row groups say which the column's least and greatest values are. JSON never has any.
  public let hasBounds: Bool

  /// How values lie in a page.
  public enum Encoding: Sendable, Hashable {
    /// One after the other.
    case plain
    /// As indices into a dictionary, for columns with few different values. A row group whose dictionary grows beyond
    /// `ParquetWriter.Options.dictionaryBytes` goes on with plain pages.
    case dictionary
  }

  public init(
    _ name: String, _ type: ParquetType, optional: Bool = false, encoding: Encoding = .plain,
    bounds: Bool = true
  ) {
    self.name = name
    self.type = type
    isOptional = optional
    self.encoding = encoding
    hasBounds = bounds && type != .json
  }
}

/// What a column holds.
public enum ParquetType: Sendable, Hashable, CaseIterable {
  case boolean
  case int32
  case int64
  /// Microseconds since 1970-01-01T00:00:00Z.
  case timestamp
  /// Days since 1970-01-01.
  case date
  /// Any bytes.
  case bytes
  /// UTF-8 text.
  case string
  /// A JSON document in UTF-8.
  case json

  /// The numbers of the format's `Type`.
  var physical: PhysicalType {
    switch self {
    case .boolean: .boolean
    case .int32, .date: .int32
    case .int64, .timestamp: .int64
    case .bytes, .string, .json: .byteArray
    }
  }

  /// The number of the format's older `ConvertedType`, for readers that do not know logical types.
  var converted: Int32? {
    switch self {
    case .boolean, .int32, .int64, .bytes: nil
    case .string: 0
    case .date: 6
    case .timestamp: 10
    case .json: 19
    }
  }
}

enum PhysicalType: Int32, Sendable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case byteArray = 6
}

/// How pages are compressed.
public enum ParquetCompression: Sendable, Hashable {
  case none
  case snappy
  /// Level 1…19.
  case zstd(level: Int32)

  var codec: Int32 {
    switch self {
    case .none: 0
    case .snappy: 1
    case .zstd: 6
    }
  }
}

/// The numbers of the format's `Encoding`.
enum PageEncoding: Int32, Sendable {
  case plain = 0
  case rle = 3
  case dictionary = 8
}
