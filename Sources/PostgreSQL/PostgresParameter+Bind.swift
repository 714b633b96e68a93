extension [PostgresParameter] {
  /// The parallel C arrays that libpq wants, valid during the call.
  func withBindArrays<T>(
    _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> T
  ) -> T {
    let lengths = map { Int32($0.bytes?.count ?? 0) }
    let formats = [Int32](repeating: 1, count: count)
    var values: [UnsafePointer<CChar>?] = []
    values.reserveCapacity(count)
    return bind(from: 0, &values) { values in body(values, lengths, formats) }
  }

  /// Nested scopes, one for each parameter, keep every buffer pinned until `body` has returned.
  private func bind<T>(
    from index: Int, _ values: inout [UnsafePointer<CChar>?], _ body: ([UnsafePointer<CChar>?]) -> T
  ) -> T {
    guard index < count else { return body(values) }
    guard let bytes = self[index].bytes else {
      values.append(nil)
      return bind(from: index + 1, &values, body)
    }
    guard !bytes.isEmpty else {
      // An empty value is not NULL: any non-null pointer does.
      return withUnsafePointer(to: CChar(0)) { pointer in
        values.append(pointer)
        return bind(from: index + 1, &values, body)
      }
    }
    return bytes.withUnsafeBytes { buffer in
      values.append(buffer.baseAddress?.assumingMemoryBound(to: CChar.self))
      return bind(from: index + 1, &values, body)
    }
  }
}
