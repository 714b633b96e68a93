import Booking
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Vocabulary

/// One buyer's connection to a server: the same requests over HTTP, one after the other.
final class RESTOffice: BoxOffice {
  private let channel: any Channel
  private let host: String
  /// What the server called the hold that was asked for last.
  private let lastHold = Mutex<String?>(nil)

  private init(channel: any Channel, host: String) {
    self.channel = channel
    self.host = host
  }

  /// Runs `body` on a connection of its own.
  static func with<T: Sendable>(url: String, _ body: (RESTOffice) async throws -> T) async throws -> T {
    guard let url = URL(string: url), let host = url.host, let port = url.port else {
      throw ScenarioRunError("\(url) is not a URL with host and port")
    }
    let channel = try await connect(to: host, port)
    do {
      let value = try await body(RESTOffice(channel: channel, host: "\(host):\(port)"))
      // The server may have closed it before.
      try? await channel.close().get()
      return value
    } catch {
      try? await channel.close().get()
      throw error
    }
  }

  /// A connection that lives until it is closed.
  static func open(url: String) async throws -> RESTOffice {
    guard let url = URL(string: url), let host = url.host, let port = url.port else {
      throw ScenarioRunError("\(url) is not a URL with host and port")
    }
    return RESTOffice(channel: try await connect(to: host, port), host: "\(host):\(port)")
  }

  /// The other side may have done so before.
  func close() async { try? await channel.close().get() }

  /// - Parameter tag: of what is known already, for `If-None-Match`.
  func get(_ path: String, tag: String? = nil) async throws -> HTTPExchange.Response {
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
    head.headers = ["host": host]
    if let tag { head.headers.add(name: "if-none-match", value: tag) }
    return try await exchange(head, "")
  }

  /// Any request; a body is JSON.
  func send(
    _ method: HTTPMethod, _ path: String, body: String? = nil, headers: [(String, String)] = []
  ) async throws -> HTTPExchange.Response {
    var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
    head.headers = ["host": host]
    if let body {
      head.headers.add(name: "content-type", value: "application/json")
      head.headers.add(name: "content-length", value: "\(body.utf8.count)")
    }
    head.headers.add(contentsOf: headers)
    return try await exchange(head, body ?? "")
  }

  /// A thousand who knock at once are more than a server lets queue; who is turned away knocks again, for ten seconds.
  private static func connect(to host: String, _ port: Int) async throws -> any Channel {
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
      do {
        return try await connectOnce(to: host, port)
      } catch {
        guard ContinuousClock.now < deadline else { throw error }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  private static func connectOnce(to host: String, _ port: Int) async throws -> any Channel {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.seconds(10))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(HTTPExchangeHandler())
        }
      }
      .connect(host: host, port: port).get()
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, let wish):
        guard case .best(let best) = wish else { return .error("not-supported") }
        let (answer, body) = try await post(
          "/v1/shows/\(show)/holds", #"{"buyer":"\#(buyer)","best":{"count":\#(best.count)}}"#,
          key: String(id.rawValue.drop { $0 != ":" }.dropFirst()))
        lastHold.withLock { $0 = body.holdID }
        return answer
      case .order(let id, _, _, let account):
        let hold = lastHold.withLock { $0 } ?? ""
        let (answer, body) = try await post(
          "/v1/orders",
          #"{"hold_id":"\#(hold)","account_id":"\#(account)","payment_method":"card"}"#, key: id.rawValue)
        if answer.verdict == .done, body.status != "confirmed" {
          return .error("order-\(body.status ?? "unknown")")
        }
        return answer
      default: return .error("not-supported")
      }
    } catch {
      return .error("connection", "\(error)", isUnknown: true)
    }
  }

  private struct Body: Decodable {
    var holdID: String?
    var status: String?

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case status
    }
  }

  private func post(_ path: String, _ body: String, key: String) async throws -> (BuyerAnswer, Body) {
    var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path)
    head.headers = [
      "host": host, "content-type": "application/json", "content-length": "\(body.utf8.count)",
      "idempotency-key": key,
    ]
    let response = try await exchange(head, body)
    let document = try? JSONDecoder().decode(Body.self, from: Data(response.body.readableBytesView))
    switch response.status.code {
    case 200..<300: return (.done(position: 0), document ?? Body())
    case 409: return (.refused("conflict"), document ?? Body())
    default: return (.error("http-\(response.status.code)"), document ?? Body())
    }
  }
}

extension RESTOffice {
  fileprivate func exchange(_ head: HTTPRequestHead, _ body: String) async throws -> HTTPExchange.Response {
    let promise = channel.eventLoop.makePromise(of: HTTPExchange.Response.self)
    do {
      try await channel.writeAndFlush(
        HTTPExchange(head: head, body: ByteBuffer(string: body), answer: promise)
      ).get()
    } catch {
      promise.fail(error)
    }
    return try await promise.futureResult.get()
  }

  fileprivate func requireReady() async throws {
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/actuator/health/liveness")
    head.headers = ["host": host]
    let response = try await exchange(head, "")
    guard response.status == .ok else { throw ScenarioRunError("it answers \(response.status)") }
  }
}

/// A request, and who waits for its answer.
struct HTTPExchange: Sendable {
  struct Response: Sendable {
    let status: HTTPResponseStatus
    let headers: HTTPHeaders
    let body: ByteBuffer
  }

  let head: HTTPRequestHead
  let body: ByteBuffer
  let answer: EventLoopPromise<Response>
}

/// Sends one request at a time and gives its answer to who waits for it; a connection that ends fails them.
private final class HTTPExchangeHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundIn = HTTPExchange
  typealias OutboundOut = HTTPClientRequestPart

  private var waiting: EventLoopPromise<HTTPExchange.Response>?
  private var head = HTTPResponseHead(version: .http1_1, status: .ok)
  private var body = ByteBuffer()

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let exchange = unwrapOutboundIn(data)
    waiting = exchange.answer
    context.write(wrapOutboundOut(.head(exchange.head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(exchange.body))), promise: nil)
    context.write(wrapOutboundOut(.end(nil)), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body.clear()
    case .body(var part): body.writeBuffer(&part)
    case .end:
      waiting?.succeed(HTTPExchange.Response(status: head.status, headers: head.headers, body: body))
      waiting = nil
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    waiting?.fail(ChannelError.eof)
    waiting = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    waiting?.fail(error)
    waiting = nil
    context.close(promise: nil)
  }
}

extension BookingLoad {
  /// Waits until a server has started, at most half a minute.
  public static func waitUntilReady(_ url: String) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      do {
        return try await RESTOffice.with(url: url) { try await $0.requireReady() }
      } catch {
        guard ContinuousClock.now < deadline else {
          throw ScenarioRunError("\(url) does not answer: \(error)")
        }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }
}
