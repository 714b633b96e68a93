/// Reads what `RunLengthEncoder` writes.
enum RunLengthDecoder {
  /// Exactly `count` values of `bitWidth` bits, of which there are 1…32.
  static func decode(
    _ bytes: ArraySlice<UInt8>, bitWidth: Int, count: Int
  ) throws(ParquetReadError) -> [UInt32] {
    guard (1...32).contains(bitWidth) else { throw .damaged("\(bitWidth) bits a value") }
    var values: [UInt32] = []
    values.reserveCapacity(count)
    var at = bytes.startIndex
    while values.count < count {
      let head = try varint(bytes, &at)
      let rest = count - values.count
      if head & 1 == 0 {
        let width = (bitWidth + 7) / 8
        guard head > 1, width <= bytes.endIndex - at else { throw .damaged("a run has no value") }
        var value: UInt32 = 0
        for index in 0..<width { value |= UInt32(bytes[at + index]) << UInt32(8 * index) }
        at += width
        let run = Int(clamping: head >> 1)
        values.append(contentsOf: repeatElement(value, count: min(run, rest)))
      } else {
        let groups = Int(clamping: head >> 1)
        guard groups > 0, groups <= (bytes.endIndex - at) / bitWidth else {
          throw .damaged("packed values end too soon")
        }
        unpack(bytes[at..<at + groups * bitWidth], bitWidth, min(groups * 8, rest), into: &values)
        at += groups * bitWidth
      }
    }
    return values
  }

  private static func unpack(
    _ bytes: ArraySlice<UInt8>, _ bitWidth: Int, _ count: Int, into values: inout [UInt32]
  ) {
    let mask = UInt64(1) << UInt64(bitWidth) - 1
    var bits: UInt64 = 0
    var held = 0
    var at = bytes.startIndex
    for _ in 0..<count {
      while held < bitWidth {
        bits |= UInt64(bytes[at]) << UInt64(held)
        held += 8
        at += 1
      }
      values.append(UInt32(truncatingIfNeeded: bits & mask))
      bits >>= UInt64(bitWidth)
      held -= bitWidth
    }
  }

  private static func varint(_ bytes: ArraySlice<UInt8>, _ at: inout Int) throws(ParquetReadError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard at < bytes.endIndex else { throw .damaged("values end too soon") }
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw .damaged("a run's length does not end")
  }
}
