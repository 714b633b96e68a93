import EventStore
import Foundation
import Logging
import Ordering
import PostgreSQL
import SMTP
import Vocabulary

/// Tells the outside of what has become of orders, by signed webhooks and by mail to who gave an address: choreography
/// beside the services, which know nothing of it.
///
/// For each of the two a subscription writes an ``Outbox`` in the transaction of its checkpoint; ``run()`` delivers it.
/// A message's id comes from the event's, so it is in the outbox once, whatever is delivered, repeated or rebuilt.
public struct NotificationService: Sendable {
  /// Where webhooks go and what they are signed with.
  public struct Target: Sendable {
    public let url: URL
    public let secret: WebhookSecret

    public init(url: URL, secret: WebhookSecret) {
      self.url = url
      self.secret = secret
    }
  }

  /// Through which server mail goes, and who it is from.
  public struct Mailing: Sendable {
    public let server: SMTPServer
    public let from: EmailAddress

    public init(server: SMTPServer, from: EmailAddress) {
      self.server = server
      self.from = from
    }
  }

  static let kinds: [Ordering.Event.Kind] = [
    .orderConfirmed, .orderFailed, .orderSeatsCancelled, .orderCancelled, .ticketTransferred,
  ]

  /// After so many tries, which take about three hours, a message is given up.
  public static let maximumAttempts = 14
  /// Taken at a time. So many tries, each as long as it may take, end before ``Outbox/lease`` does.
  static let batch = 20

  public let target: Target?
  public let mailing: Mailing?
  let store: EventStore
  let ordering: OrderingService
  let time: TimeSource
  let logger: Logger
  let caller = HTTPCaller(timeout: .seconds(10))

  func outbox(_ channel: Outbox.Channel) -> Outbox {
    Outbox(channel: channel, store: store, time: time, logger: logger)
  }

  /// None for what nobody is to be told by.
  var subscriptions: [Subscription] {
    (target == nil ? [] : [subscription("notifications", of: .webhook)])
      + (mailing == nil ? [] : [subscription("mail", of: .email)])
  }

  private func subscription(_ name: String, of channel: Outbox.Channel) -> Subscription {
    Subscription(
      name, categories: [Ordering.Event.category], types: Self.kinds.map(\.rawValue), batchSize: 1000,
      commitsDurably: true, onPoison: .park(after: 5), handle: outbox(channel).note)
  }

  /// Delivers until the task is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      // A slow mail server holds no webhook up.
      if target != nil { group.addTask { await self.repeatedly(self.deliver) } }
      if mailing != nil { group.addTask { await self.repeatedly(self.deliverMail) } }
    }
  }

  private func repeatedly(_ deliver: @Sendable () async throws -> Int) async {
    while !Task.isCancelled {
      do {
        if try await deliver() == Self.batch { continue }
      } catch {
        if Task.isCancelled { return }
        logger.warning("notifications will be looked for again", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  /// Tries the webhooks that are due now.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func deliver() async throws -> Int {
    guard let target else { return 0 }
    let outbox = outbox(.webhook)
    let due = try await outbox.claim(Self.batch)
    for message in due { try await outbox.record(message, try await post(message, to: target)) }
    return due.count
  }

  private func post(_ message: Outbox.Message, to target: Target) async throws -> Outbox.Failure? {
    do {
      let body = try PayloadEncoder().encode(WebhookMessage(message.id, try await news(of: message)))
      let signature = WebhookSignature.sign(body, at: time.now, with: target.secret)
      let answer = try await caller.send(
        "POST", target.url, headers: [WebhookSignature.header: signature], body)
      if (200..<300).contains(answer.status) { return nil }
      return Outbox.Failure("\(answer.status) \(String(decoding: answer.body.prefix(200), as: UTF8.self))")
    } catch {
      if Task.isCancelled { throw error }
      return Outbox.Failure("\(error)")
    }
  }

  /// Sends the mails that are due now.
  ///
  /// - Returns: how many messages there were, with those that nobody is to be written to about.
  @discardableResult
  public func deliverMail() async throws -> Int {
    guard let mailing else { return 0 }
    let outbox = outbox(.email)
    let due = try await outbox.claim(Self.batch)
    var letters: [(message: Outbox.Message, mail: MailMessage)] = []
    for message in due {
      do {
        let news = try await news(of: message)
        // Most orders have no address; the show is looked up for those that have one.
        guard news.recipient != nil,
          let mail = news.mail(
            about: try await ordering.booking.lookUp(news.order.holdID, RequestContext()).show,
            id: message.id,
            from: mailing.from)
        else {
          try await outbox.drop(message)
          continue
        }
        letters.append((message, mail))
      } catch {
        if Task.isCancelled { throw error }
        try await outbox.record(message, Outbox.Failure("\(error)"))
      }
    }
    let results = await mailing.server.send(letters.map(\.mail))
    try Task.checkCancellation()
    for (letter, error) in zip(letters, results) {
      try await outbox.record(letter.message, error.map(Outbox.Failure.init))
    }
    return due.count
  }

  private struct EventGone: Error, CustomStringConvertible {
    let position: Position
    var description: String { "the event at position \(position) is not in the log any more" }
  }

  private func news(of message: Outbox.Message) async throws -> OrderNews {
    guard let event = try await store.read(at: [message.position]).first else {
      throw EventGone(position: message.position)
    }
    return OrderNews(
      order: try await ordering.order(message.order).order, event: try event.decode(as: Ordering.Event.self),
      recordedAt: event.recordedAt)
  }

  // MARK: Operators

  /// The latest messages, or those that were given up.
  public func list(onlyDead: Bool, limit: Int = 1000) async throws -> [Outbox.Entry] {
    try await Outbox.list(of: store, onlyDead: onlyDead, limit: limit)
  }

  /// Has messages that were given up tried again, from the first try on.
  ///
  /// - Parameter id: one message; all of them for nil.
  /// - Returns: how many there were.
  public func retry(_ id: UUID? = nil) async throws -> Int {
    try await Outbox.retry(id, in: store, at: time.now)
  }
}

extension Outbox.Failure {
  init(_ error: SMTPError) {
    self.init("\(error)")
    if case .refused = error { isForGood = true }
  }
}
