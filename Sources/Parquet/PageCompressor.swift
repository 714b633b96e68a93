import CSnappy
import CZstd

/// Compresses whole pages. The same page gives the same bytes.
final class PageCompressor {
  private let compression: ParquetCompression
  private let context: OpaquePointer?
  private var output: [UInt8] = []

  init(_ compression: ParquetCompression) throws(ParquetError) {
    self.compression = compression
    guard case .zstd(let level) = compression else {
      context = nil
      return
    }
    guard let context = ZSTD_createCCtx() else { throw .compression(reason: "not enough memory") }
    self.context = context
    try Self.check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level))
    try Self.check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
  }

  deinit { if let context { ZSTD_freeCCtx(context) } }

  /// Appends the compressed page to `chunk` and returns its size.
  func compress(_ page: [UInt8], into chunk: inout [UInt8]) throws(ParquetError) -> Int {
    let bound: Int
    switch compression {
    case .none:
      chunk.append(contentsOf: page)
      return page.count
    case .snappy: bound = snappy_max_compressed_length(page.count)
    case .zstd: bound = ZSTD_compressBound(page.count)
    }
    if output.count < bound { output = [UInt8](repeating: 0, count: bound) }
    let size = context.map { zstd(page, $0) } ?? snappy(page)
    let written = try size.get()
    chunk.append(contentsOf: output[..<written])
    return written
  }

  private func zstd(_ page: [UInt8], _ context: OpaquePointer) -> Result<Int, ParquetError> {
    let code = output.withUnsafeMutableBytes { output in
      page.withUnsafeBytes { page in
        ZSTD_compress2(context, output.baseAddress, output.count, page.baseAddress, page.count)
      }
    }
    return Result { () throws(ParquetError) in try Self.check(code) }
  }

  private func snappy(_ page: [UInt8]) -> Result<Int, ParquetError> {
    var size = output.count
    let status = output.withUnsafeMutableBytes { output in
      page.withUnsafeBytes { page in
        snappy_compress(
          page.baseAddress?.assumingMemoryBound(to: CChar.self), page.count,
          output.baseAddress?.assumingMemoryBound(to: CChar.self), &size)
      }
    }
    return status == SNAPPY_OK
      ? .success(size) : .failure(.compression(reason: "snappy status \(status.rawValue)"))
  }

  @discardableResult
  private static func check(_ code: Int) throws(ParquetError) -> Int {
    guard ZSTD_isError(code) == 0 else {
      throw .compression(reason: String(cString: ZSTD_getErrorName(code)))
    }
    return code
  }
}
