import NIOCore
import NIOPosix
import Synchronization

/// One connection through a ``FaultProxy``: the client's channel and the server's, on one event loop.
///
/// Everything but ``spoil(_:)``, ``heal()`` and ``close()`` happens on that event loop, which is why the class may say
/// that it is Sendable. A piece that is read is written to the other side before the next is read, so at most one
/// piece of each direction is held.
final class ProxyLink: @unchecked Sendable {
  private static let lastNumber = Atomic(0)

  let number = ProxyLink.lastNumber.add(1, ordering: .relaxed).newValue
  let client: any Channel
  var server: (any Channel)?
  private var fault: ProxyFault?
  private var messages = FrontendMessages()
  /// An Execute has gone to the server, and its answer must not come back.
  private var isCutAtAnswer = false
  private var hasSwallowed = false

  enum Side { case client, server }

  init(client: any Channel, fault: ProxyFault?) {
    self.client = client
    self.fault = fault
  }

  /// Whoever waits for this knows that the next piece will be spoiled.
  func spoil(_ fault: ProxyFault) async {
    try? await client.eventLoop.submit {
      self.fault = fault
      if fault == .refuse { self.closeBoth() }
    }.get()
  }

  func heal() async {
    try? await client.eventLoop.submit {
      // What was swallowed is missing for ever; what is frozen holds messages whose time has passed.
      if self.hasSwallowed || self.isCutAtAnswer { self.closeBoth() }
      self.fault = nil
    }.get()
  }

  func close() { client.eventLoop.execute { self.closeBoth() } }

  private func closeBoth() {
    client.close(promise: nil)
    server?.close(promise: nil)
  }

  func ended(_ side: Side) { closeBoth() }

  /// A piece arrived from one side.
  func received(_ piece: ByteBuffer, from side: Side) {
    guard let (source, target) = channels(from: side) else { return closeBoth() }
    let sawExecute = side == .client && messages.take(piece.readableBytesView)
    switch (fault, side) {
    case (.freeze, _):
      // Not read on either: the kernel's buffers fill, as they do when a host stops.
      hasSwallowed = true
    case (.swallowAnswers, .server), (.swallowRequests, .client):
      hasSwallowed = true
      source.read()
    case (.cutBeforeAnswer, .client) where sawExecute:
      isCutAtAnswer = true
      pass(piece, to: target, then: source)
    case (_, .server) where isCutAtAnswer:
      // The server has done it, and says so: too late.
      closeBoth()
    case (.cutMidMessage, .client):
      let half = piece.getSlice(at: piece.readerIndex, length: piece.readableBytes / 2) ?? piece
      target.writeAndFlush(half).whenComplete { _ in self.closeBoth() }
    case (.delay(let milliseconds), _):
      source.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
        self.pass(piece, to: target, then: source)
      }
    case (.trickle(let bytes, let milliseconds), _):
      trickle(piece, bytes, milliseconds, to: target, then: source)
    default: pass(piece, to: target, then: source)
    }
  }

  private func channels(from side: Side) -> (source: any Channel, target: any Channel)? {
    guard let server else { return nil }
    return side == .client ? (client, server) : (server, client)
  }

  private func pass(_ piece: ByteBuffer, to target: any Channel, then source: any Channel) {
    target.writeAndFlush(piece).whenComplete { result in
      switch result {
      case .success: source.read()
      case .failure: self.closeBoth()
      }
    }
  }

  private func trickle(
    _ piece: ByteBuffer, _ bytes: Int, _ milliseconds: Int, to target: any Channel, then source: any Channel
  ) {
    // When the fault has ended the rest goes at once.
    let size = min(bytes, piece.readableBytes)
    guard case .trickle = fault, size < piece.readableBytes,
      let first = piece.getSlice(at: piece.readerIndex, length: size),
      let rest = piece.getSlice(at: piece.readerIndex + size, length: piece.readableBytes - size)
    else { return pass(piece, to: target, then: source) }
    target.writeAndFlush(first).whenComplete { result in
      guard case .success = result else { return self.closeBoth() }
      source.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
        self.trickle(rest, bytes, milliseconds, to: target, then: source)
      }
    }
  }
}

/// One side of a link, in its channel's pipeline.
final class ProxyEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let link: ProxyLink
  private let side: ProxyLink.Side

  init(_ link: ProxyLink, _ side: ProxyLink.Side) {
    self.link = link
    self.side = side
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { context.channel.read() }
  }

  func channelActive(context: ChannelHandlerContext) { context.channel.read() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    link.received(unwrapInboundIn(data), from: side)
  }

  func channelInactive(context: ChannelHandlerContext) { link.ended(side) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
