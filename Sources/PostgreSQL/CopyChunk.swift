/// Some whole rows of a `COPY … TO STDOUT`, one after the other.
public struct CopyChunk: Sendable {
  public private(set) var bytes: [UInt8] = []
  private var ends: [Int] = []

  public var isEmpty: Bool { ends.isEmpty }
  public var rowCount: Int { ends.count }

  mutating func append(_ row: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: row)
    ends.append(bytes.count)
  }

  /// Calls `body` with the bytes of each row, valid only during the call.
  public func forEachRow(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try bytes.withUnsafeBytes { all in
      var start = 0
      for end in ends {
        try body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
        start = end
      }
    }
  }
}
