import Glibc

/// An open file. Blocks: used on a lake's own thread only.
struct File: ~Copyable {
  let path: String
  private let descriptor: Int32

  private init(_ path: String, _ flags: Int32, operation: String) throws(LakeError) {
    self.path = path
    descriptor = open(path, flags | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw .io(operation: operation, path: path, code: errno) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// A new file; one that exists is an error.
  static func create(_ path: String) throws(LakeError) -> File {
    try File(path, O_WRONLY | O_CREAT | O_EXCL, operation: "create")
  }

  static func read(_ path: String) throws(LakeError) -> File {
    try File(path, O_RDONLY, operation: "read")
  }

  /// Opened or created, for locking.
  static func shared(_ path: String) throws(LakeError) -> File {
    try File(path, O_RDWR | O_CREAT, operation: "open")
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(LakeError) {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let written = Glibc.write(descriptor, base, rest.count)
      if written >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      } else if errno != EINTR {
        throw .io(operation: "write", path: path, code: errno)
      }
    }
  }

  /// The number of bytes read; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(LakeError) -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw .io(operation: "read", path: path, code: errno) }
    }
  }

  func readAll() throws(LakeError) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = try chunk.withMutableBytes { (buffer) throws(LakeError) in try read(into: buffer) }
      if count == 0 { return all }
      all.append(contentsOf: chunk[..<count])
    }
  }

  func size() throws(LakeError) -> Int64 {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw .io(operation: "read", path: path, code: errno) }
    return Int64(status.st_size)
  }

  /// So many bytes from an offset; fewer only where the file ends.
  func read(at offset: Int64, count: Int) throws(LakeError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset) + off_t(done))
      }
      if read == 0 { break }
      if read > 0 {
        done += read
      } else if errno != EINTR {
        throw .io(operation: "read", path: path, code: errno)
      }
    }
    bytes.removeLast(count - done)
    return bytes
  }

  func synchronize() throws(LakeError) {
    if fsync(descriptor) != 0 { throw .io(operation: "flush", path: path, code: errno) }
  }

  func replaceContent(_ bytes: [UInt8]) throws(LakeError) {
    if ftruncate(descriptor, 0) != 0 || lseek(descriptor, 0, SEEK_SET) != 0 {
      throw .io(operation: "write", path: path, code: errno)
    }
    try bytes.withBytes { (buffer) throws(LakeError) in try write(buffer) }
  }

  func unlock() { _ = flock(descriptor, LOCK_UN) }

  /// Without waiting; false when another holder excludes it. Given back when the file is closed, so also
  /// when the process dies.
  func lock(exclusive: Bool) throws(LakeError) -> Bool {
    while true {
      if flock(descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw .io(operation: "lock", path: path, code: errno) }
    }
  }
}

/// The names in a file system. Blocks: used on a lake's own thread only.
enum Directory {
  /// False when it was there already.
  @discardableResult
  static func create(_ path: String) throws(LakeError) -> Bool {
    if mkdir(path, 0o755) == 0 { return true }
    let code = errno
    var status = stat()
    // Read-only and network file systems may refuse in their own ways to create what is there.
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return false }
    throw .io(operation: "create the directory", path: path, code: code == EEXIST ? ENOTDIR : code)
  }

  /// Makes names that were added or removed survive a power cut.
  static func synchronize(_ path: String) throws(LakeError) { try File.read(path).synchronize() }

  /// Sorted; none when the directory does not exist.
  static func names(_ path: String) throws(LakeError) -> [String] {
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw .io(operation: "list", path: path, code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw .io(operation: "list", path: path, code: errno) }
    return names.sorted()
  }

  /// Everything under a directory that is not a directory itself, by its path relative to `root`, sorted within
  /// each directory. Symbolic links count as files, so nothing leads outside.
  static func files(_ path: String, in root: String) throws(LakeError) -> [String] {
    var files: [String] = []
    for name in try names("\(root)/\(path)") {
      let path = "\(path)/\(name)"
      var status = stat()
      if lstat("\(root)/\(path)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        files += try self.files(path, in: root)
      } else {
        files.append(path)
      }
    }
    return files
  }

  /// Gives `existing` a second name; false when the name is taken. The one step that decides who won.
  static func link(_ existing: String, as name: String) throws(LakeError) -> Bool {
    if Glibc.link(existing, name) == 0 { return true }
    if errno == EEXIST { return false }
    throw .io(operation: "commit", path: name, code: errno)
  }

  /// A name that is gone already is fine.
  static func remove(_ path: String) throws(LakeError) {
    if unlink(path) != 0 && errno != ENOENT { throw .io(operation: "remove", path: path, code: errno) }
  }

  static func removeIfEmpty(_ path: String) {
    // Fails when something is in it, which is the point.
    _ = rmdir(path)
  }

  /// Size in bytes, or nil when there is no such file.
  static func size(_ path: String) -> Int64? {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : nil
  }
}
