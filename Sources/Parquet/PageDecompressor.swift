import CSnappy
import CZstd

/// Undoes what `PageCompressor` does.
final class PageDecompressor {
  /// A page holds at least one value, and PostgreSQL's longest is 255 MB.
  static let largestPage = 300 << 20

  private let codec: Int64
  private let context: OpaquePointer?

  /// - Parameter codec: the format's number.
  init(codec: Int64) throws(ParquetReadError) {
    self.codec = codec
    switch codec {
    case 0, 1: context = nil
    case 6:
      guard let context = ZSTD_createDCtx() else { throw .damaged("not enough memory to decompress it") }
      self.context = context
    default: throw .unsupported("compression \(codec)")
    }
  }

  deinit { if let context { ZSTD_freeDCtx(context) } }

  func decompress(_ page: ArraySlice<UInt8>, to size: Int) throws(ParquetReadError) -> [UInt8] {
    guard (0...Self.largestPage).contains(size) else { throw .damaged("a page of \(size) bytes") }
    if codec == 0 {
      guard page.count == size else { throw .damaged("a page of another size than it says") }
      return Array(page)
    }
    var output = [UInt8](repeating: 0, count: size)
    let written = output.withUnsafeMutableBytes { output in
      page.withUnsafeBytes { page in
        if let context {
          return ZSTD_decompressDCtx(context, output.baseAddress, size, page.baseAddress, page.count)
        }
        var length = size
        let status = snappy_uncompress(
          page.baseAddress?.assumingMemoryBound(to: CChar.self), page.count,
          output.baseAddress?.assumingMemoryBound(to: CChar.self), &length)
        return status == SNAPPY_OK ? length : -1
      }
    }
    guard written == size else { throw .damaged("a page cannot be decompressed") }
    return output
  }
}
