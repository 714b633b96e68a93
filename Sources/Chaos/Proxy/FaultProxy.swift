import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy on loopback between libpq and PostgreSQL that can spoil connections on purpose.
///
/// Without a fault it passes everything on. ``begin(_:percent:)`` spoils a part of the open connections and of those
/// that are opened from then on, drawn by the seed; ``heal()`` ends that, and closes those that could never work
/// again.
public final class FaultProxy: Sendable {
  struct State {
    var random: ChaosRandom
    var fault: ProxyFault?
    var percent = 0
    var links: [ObjectIdentifier: ProxyLink] = [:]
    var struck: [String: Int] = [:]
  }

  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let state: Mutex<State>
  /// Where clients connect, on 127.0.0.1.
  public let port: Int

  /// - Parameter socket: the path of the server's Unix socket.
  public static func start(to socket: String, seed: UInt64) async throws -> FaultProxy {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let accept = Acceptance()
    do {
      let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.autoRead, value: false)
        // One piece for each read, or a second would overtake the first while that is held back.
        .childChannelOption(.maxMessagesPerRead, value: 1)
        .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { client in accept.proxy?.connect(client, to: socket) ?? client.close() }
        .bind(host: "127.0.0.1", port: 0).get()
      let proxy = FaultProxy(group: group, listener: listener, seed: seed)
      accept.set(proxy)
      return proxy
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  private init(group: MultiThreadedEventLoopGroup, listener: any Channel, seed: UInt64) {
    self.group = group
    self.listener = listener
    port = listener.localAddress?.port ?? 0
    state = Mutex(State(random: ChaosRandom(seed: seed, subject: "proxy")))
  }

  /// The key words for libpq that lead through the proxy.
  public var conninfo: String { "host=127.0.0.1 port=\(port) sslmode=disable gssencmode=disable" }

  /// How many connections each fault has spoiled.
  public var struck: [String: Int] { state.withLock { $0.struck } }

  public func begin(_ fault: ProxyFault, percent: Int) async {
    let hit = state.withLock { state in
      state.fault = fault
      state.percent = percent
      let links = state.links.values.sorted { $0.number < $1.number }
      let hit = links.filter { _ in state.random.chance(percent) }
      state.struck[fault.name, default: 0] += hit.count
      return hit
    }
    for link in hit { await link.spoil(fault) }
  }

  public func heal() async {
    let links = state.withLock { state in
      state.fault = nil
      return Array(state.links.values)
    }
    for link in links { await link.heal() }
  }

  public func stop() async {
    await heal()
    try? await listener.close().get()
    for link in state.withLock({ Array($0.links.values) }) { link.close() }
    try? await group.shutdownGracefully()
  }

  private func connect(_ client: any Channel, to socket: String) -> EventLoopFuture<Void> {
    let fault = state.withLock { state -> ProxyFault? in
      guard let fault = state.fault, state.random.chance(state.percent) else { return nil }
      state.struck[fault.name, default: 0] += 1
      return fault
    }
    if fault == .refuse { return client.close() }
    let link = ProxyLink(client: client, fault: fault)
    let key = ObjectIdentifier(link)
    state.withLock { $0.links[key] = link }
    client.closeFuture.whenComplete { _ in self.state.withLock { $0.links[key] = nil } }
    return ClientBootstrap(group: client.eventLoop)
      .channelOption(.autoRead, value: false)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelInitializer { server in
        server.eventLoop.makeCompletedFuture {
          try server.pipeline.syncOperations.addHandler(ProxyEnd(link, .server))
        }
      }
      .connect(unixDomainSocketPath: socket)
      .flatMap { server in
        client.eventLoop.makeCompletedFuture {
          link.server = server
          try client.pipeline.syncOperations.addHandler(ProxyEnd(link, .client))
        }
      }
      .flatMapError { _ in client.close() }
  }

  /// Hands the proxy to the acceptor, which is made before it.
  private final class Acceptance: Sendable {
    private let held = Mutex<FaultProxy?>(nil)
    var proxy: FaultProxy? { held.withLock { $0 } }
    func set(_ proxy: FaultProxy) { held.withLock { $0 = proxy } }
  }
}

extension ProxyFault {
  public var name: String {
    switch self {
    case .delay: "delay"
    case .trickle: "trickle"
    case .swallowAnswers, .swallowRequests: "half-open"
    case .cutBeforeAnswer: "cut-before-answer"
    case .cutMidMessage: "cut-mid-message"
    case .freeze: "freeze"
    case .refuse: "refuse"
    }
  }
}
