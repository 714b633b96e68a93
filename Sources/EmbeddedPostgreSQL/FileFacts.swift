import Foundation

/// What `stat` says about a file, not following a symbolic link in the last place.
struct FileFacts {
  let device: dev_t
  let inode: ino_t
  let mode: mode_t
  let owner: uid_t
  let group: gid_t
  let size: Int

  init?(path: String) {
    var facts = stat()
    guard lstat(path, &facts) == 0 else { return nil }
    self.init(facts)
  }

  init?(descriptor: Int32) {
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else { return nil }
    self.init(facts)
  }

  private init(_ facts: stat) {
    device = facts.st_dev
    inode = facts.st_ino
    mode = facts.st_mode
    owner = facts.st_uid
    group = facts.st_gid
    size = Int(facts.st_size)
  }

  var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
}

/// The system's words for the last failed call.
func errnoText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// The whole of a small file, or nil if it cannot be read.
func readFile(_ path: String) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  return readAll(descriptor)
}

/// Everything from the descriptor's position to the end.
func readAll(_ descriptor: Int32) -> [UInt8]? {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 16 * 1024)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    switch count {
    case 0: return bytes
    case 1...: bytes += buffer[..<count]
    default: if errno != EINTR { return nil }
    }
  }
}

func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    if count <= 0 { return false }
    rest = rest.dropFirst(count)
  }
  return true
}

/// Opens a file in the home for writing. When root works in a home that belongs to a user, the file
/// is given to that user, who could not use the home otherwise.
func openForWriting(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(PostgresClusterError)
  -> Int32
{
  let descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
  guard descriptor >= 0 else {
    if errno == ENOSPC || errno == EDQUOT { throw .diskFull(path: path, detail: errnoText()) }
    throw .homeUnusable(path: path, reason: errnoText())
  }
  let parent = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
  if geteuid() == 0, let owner = FileFacts(path: parent)?.owner, owner != 0 {
    fchown(descriptor, owner, gid_t.max)
  }
  return descriptor
}
