/// Parquet's hybrid of run lengths and bit-packed groups of eight, for definition levels and dictionary indices.
enum RunLengthEncoder {
  /// The number of bits that values up to `maximum` need.
  static func bitWidth(for maximum: UInt32) -> Int { UInt32.bitWidth - maximum.leadingZeroBitCount }

  /// Appends all values; each has to fit into `bitWidth` bits, of which there are 1…32.
  static func encode(_ values: [UInt32], bitWidth: Int, into output: inout [UInt8]) {
    values.withUnsafeBufferPointer { values in
      // Values from here on are not written yet, and there are a multiple of eight before `at`.
      var packed = 0
      var at = 0
      while at < values.count {
        let value = values[at]
        var end = at + 1
        while end < values.count, values[end] == value { end += 1 }
        // A run can only start where a group ends: what is missing of the group comes out of the run.
        let missing = (8 - (at - packed) % 8) % 8
        if end - at - missing >= 8 {
          at += missing
          pack(values[packed..<at], bitWidth, into: &output)
          output.appendVarint(UInt64(end - at) << 1)
          for byte in 0..<(bitWidth + 7) / 8 {
            output.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)))
          }
          packed = end
        }
        at = end
      }
      pack(values[packed...], bitWidth, into: &output)
    }
  }

  /// Groups of eight; the last is filled up with zeros, which only the end of all values allows.
  private static func pack(
    _ values: Slice<UnsafeBufferPointer<UInt32>>, _ bitWidth: Int, into output: inout [UInt8]
  ) {
    if values.isEmpty { return }
    let groups = (values.count + 7) / 8
    output.appendVarint(UInt64(groups) << 1 | 1)
    var bits: UInt64 = 0
    var count = 0
    for value in values {
      bits |= UInt64(value) << UInt64(count)
      count += bitWidth
      while count >= 8 {
        output.append(UInt8(truncatingIfNeeded: bits))
        bits >>= 8
        count -= 8
      }
    }
    var padding = (groups * 8 - values.count) * bitWidth + count
    while padding > 0 {
      output.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      padding -= 8
    }
  }
}
