import CZstd

/// Compresses one stream. The bytes that come out depend only on the bytes that go in, because every call
/// but the last is given exactly one block.
final class ZstdCompressor {
  /// What one call takes; 128 KB, zstd's own block.
  static let blockBytes = 128 << 10

  private let context: OpaquePointer
  private let path: String
  private var output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())

  init(path: String, level: Int32) throws(LakeError) {
    guard let context = ZSTD_createCCtx() else {
      throw .compression(path: path, reason: "not enough memory")
    }
    self.context = context
    self.path = path
    _ = try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level))
    _ = try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Hands every piece of output to `sink`; `last` ends the frame.
  func compress(
    _ block: UnsafeRawBufferPointer, last: Bool, sink: (UnsafeRawBufferPointer) throws(LakeError) -> Void
  ) throws(LakeError) {
    var input = ZSTD_inBuffer(src: block.baseAddress, size: block.count, pos: 0)
    var finished = false
    while !finished {
      let (remaining, produced) = output.withUnsafeMutableBytes { buffer in
        var out = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        let remaining = ZSTD_compressStream2(context, &out, &input, last ? ZSTD_e_end : ZSTD_e_continue)
        return (remaining, out.pos)
      }
      let left = try check(remaining)
      if produced > 0 {
        try output.withBytes { (buffer) throws(LakeError) in
          try sink(UnsafeRawBufferPointer(rebasing: buffer[..<produced]))
        }
      }
      finished = last ? left == 0 : input.pos == input.size
    }
  }

  private func check(_ code: Int) throws(LakeError) -> Int {
    guard ZSTD_isError(code) == 0 else {
      throw .compression(path: path, reason: String(cString: ZSTD_getErrorName(code)))
    }
    return code
  }
}

/// Decompresses one file of one or more frames.
final class ZstdDecompressor {
  struct Failure: Error { let reason: String }

  private let context: OpaquePointer
  private var output = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
  /// False in the middle of a frame.
  private(set) var isAtFrameEnd = true

  init() throws(Failure) {
    guard let context = ZSTD_createDCtx() else { throw Failure(reason: "not enough memory") }
    self.context = context
    // A hostile file must not make us allocate gigabytes: 128 MB is far above what the exporter uses.
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Hands every piece of output to `sink`, which may end it: a small chunk can become gigabytes.
  func decompress(
    _ chunk: UnsafeRawBufferPointer, sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var input = ZSTD_inBuffer(src: chunk.baseAddress, size: chunk.count, pos: 0)
    var outputWasFull = false
    while input.pos < input.size || outputWasFull {
      let (code, produced, full) = output.withUnsafeMutableBytes { buffer in
        var out = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        let code = ZSTD_decompressStream(context, &out, &input)
        return (code, out.pos, out.pos == out.size)
      }
      guard ZSTD_isError(code) == 0 else { throw Failure(reason: String(cString: ZSTD_getErrorName(code))) }
      isAtFrameEnd = code == 0
      try output.withBytes { (buffer) throws(Failure) in
        try sink(UnsafeRawBufferPointer(rebasing: buffer[..<produced]))
      }
      outputWasFull = full && code != 0
    }
  }
}
