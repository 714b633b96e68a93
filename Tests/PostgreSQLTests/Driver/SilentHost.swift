import Glibc
import TestSupport

/// Listens on a port of its own; the kernel accepts connections for it, and nobody ever reads them.
final class SilentHost: Sendable {
  let port: UInt16
  let socket: Int32

  init() throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = socket
    let isListening = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 5) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isListening else { throw NeverHappened(description: "no socket to listen on: \(errno)") }
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(socket) }
}
