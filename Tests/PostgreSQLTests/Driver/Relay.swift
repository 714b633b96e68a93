import Foundation
import PostgreSQL
import Synchronization
import TestSupport

/// A TCP host in front of the server's Unix socket that can vanish like one whose cable is cut: its connections
/// stay open, and nothing is ever heard on them again.
final class Relay: Sendable {
  private struct State {
    var answersNew = true
    var links: [Link] = []
  }

  private let host: SilentHost
  private let server: String
  private let state = Mutex(State())

  var port: UInt16 { host.port }

  init(to server: String) throws {
    host = try SilentHost()
    self.server = server
    Thread.detachNewThread { self.acceptAll() }
  }

  /// Both of the following.
  func vanish() {
    ignoreNew()
    loseEstablished()
  }

  /// The connections that there are stay open and carry nothing any more.
  func loseEstablished() {
    for link in state.withLock(\.links) { link.isCut.store(true, ordering: .relaxed) }
  }

  /// New connections are made, and nobody answers them.
  func ignoreNew() { state.withLock { $0.answersNew = false } }

  /// How many connections were made that nobody answers.
  var unanswered: Int { state.withLock { $0.links.count { $0.server < 0 } } }

  func close() {
    shutdown(host.socket, Int32(SHUT_RDWR))
    let links = state.withLock { state in
      defer { state.links = [] }
      return state.links
    }
    for link in links { link.end() }
  }

  /// Ends when the listening socket has been shut down.
  private func acceptAll() {
    while true {
      let client = accept(host.socket, nil, nil)
      guard client >= 0 else { return }
      let link = state.withLock { state in
        let link = Link(client: client, server: state.answersNew ? connectedSocket(to: server) : -1)
        state.links.append(link)
        return link
      }
      guard link.server >= 0 else { continue }
      Thread.detachNewThread { link.pump(from: link.client, to: link.server) }
      Thread.detachNewThread { link.pump(from: link.server, to: link.client) }
    }
  }

  /// The two sockets of one relayed connection.
  private final class Link: Sendable {
    let client: Int32
    /// -1 when nobody answers.
    let server: Int32
    let isCut = Atomic(false)

    init(client: Int32, server: Int32) {
      self.client = client
      self.server = server
    }

    deinit {
      Foundation.close(client)
      if server >= 0 { Foundation.close(server) }
    }

    func pump(from source: Int32, to destination: Int32) {
      var buffer = [UInt8](repeating: 0, count: 16 * 1024)
      while true {
        let count = read(source, &buffer, buffer.count)
        if isCut.load(ordering: .relaxed) && count > 0 { continue }
        guard count > 0, send(destination, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
      }
      if !isCut.load(ordering: .relaxed) { end() }
    }

    func end() {
      shutdown(client, Int32(SHUT_RDWR))
      if server >= 0 { shutdown(server, Int32(SHUT_RDWR)) }
    }
  }
}

private func connectedSocket(to path: String) -> Int32 {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  let size = socklen_t(MemoryLayout<sockaddr_un>.size)
  let isConnected = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 }
  }
  if isConnected { return descriptor }
  close(descriptor)
  return -1
}

/// Runs `body` with a relay, the connection string of an empty database behind it, and a pool that goes past it.
func withRelay<T: Sendable>(
  _ body: (_ relay: Relay, _ conninfo: String, _ observer: PostgresPool) async throws -> T
) async throws -> T {
  try await withTestDatabase { direct in
    try await withPool(direct, size: 1) { observer in
      let server = try await observer.one(
        """
        select current_setting('unix_socket_directories') || '/.s.PGSQL.' || current_setting('port')
        """, as: String.self)
      let database: String = try await observer.one("select current_database()::text")
      let user: String = try await observer.one("select current_user::text")
      let relay = try Relay(to: server)
      defer { relay.close() }
      let conninfo = "host=127.0.0.1 port=\(relay.port) dbname=\(database) user=\(user) sslmode=disable"
      return try await body(relay, conninfo, observer)
    }
  }
}
