import Foundation

/// `postmaster.pid`, in which a server says who and where it is.
struct PostmasterFile: Equatable, Sendable {
  /// The directory that the file lies in.
  private let location: String
  let processID: pid_t
  /// The directory that the server was started with. Another one in a copied or moved home.
  let dataDirectory: String
  let port: Int
  let socketDirectory: String
  let isReady: Bool

  init?(in dataDirectory: String) {
    guard let bytes = readFile("\(dataDirectory)/postmaster.pid") else { return nil }
    self.init(parsing: String(decoding: bytes, as: UTF8.self), location: dataDirectory)
  }

  /// The lines are: process id, data directory, start time, port, socket directory, listen address,
  /// shared memory key, state (`miscadmin.h`, LOCK_FILE_LINE_*). Before the server listens, the last
  /// ones are missing.
  private init?(parsing text: String, location: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 2, let processID = pid_t(lines[0]), processID > 1 else { return nil }
    self.location = location
    self.processID = processID
    dataDirectory = String(lines[1])
    port = lines.count > 3 ? Int(lines[3]) ?? 0 : 0
    socketDirectory = lines.count > 4 ? String(lines[4]) : ""
    isReady = lines.count > 7 && lines[7].hasPrefix("ready")
  }

  /// How libpq reaches the database through this server's socket.
  func conninfo(database: String, user: String = ServerControl.role) -> String {
    let host = socketDirectory.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    return "host='\(host)' port=\(port) dbname=\(database) user=\(user)"
  }

  var socketPath: String { "\(socketDirectory)/.s.PGSQL.\(port)" }

  /// Whether the process with that id is a server on the data directory that the file lies in, and neither a later
  /// process that got the same number nor the server of another home that this one was copied from.
  var isAlive: Bool {
    let process = "/proc/\(processID)"
    // A server works in its data directory, whatever that is called by now. The dot follows the symbolic link.
    if let directory = FileFacts(path: "\(process)/cwd/.") { return isLocation(directory) }
    // Containers forbid even root to look where another user's process is; its arguments are public.
    guard let named = FileFacts(path: "\(dataDirectory)/."), isLocation(named) else { return false }
    let arguments = (readFile("\(process)/cmdline") ?? []).split(separator: 0).map {
      String(decoding: $0, as: UTF8.self)
    }
    return arguments.first?.hasSuffix("/postgres") == true && arguments.contains(dataDirectory)
  }

  private func isLocation(_ directory: FileFacts) -> Bool {
    guard let own = FileFacts(path: location) else { return false }
    return directory.device == own.device && directory.inode == own.inode
  }
}
