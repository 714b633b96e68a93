import Foundation
import Logging
import PostgreSQL
import Vocabulary

/// Delivers the sandbox's webhooks over HTTP until they are acknowledged, each in a try of its own, with pauses that
/// double from one second to an hour. After ``maximumAttempts`` tries it gives up.
public struct SandboxWebhooks: Sendable {
  public static let maximumAttempts = 30
  /// Taken at a time.
  private static let batch = 20

  private let bank: SandboxBank
  private let url: URL
  private let secret: WebhookSecret
  private let caller = HTTPCaller(timeout: .seconds(5))
  private let logger: Logger

  /// - Parameter url: where they are posted to.
  public init(
    _ bank: SandboxBank, to url: URL, secret: WebhookSecret,
    logger: Logger = Logger(label: "aisle.sandbox")
  ) {
    self.bank = bank
    self.url = url
    self.secret = secret
    self.logger = logger
  }

  /// Runs until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      do {
        if try await deliver() == Self.batch { continue }
      } catch {
        if Task.isCancelled { return }
        logger.warning("the sandbox will look for webhooks again", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: .milliseconds(250))
    }
  }

  /// Tries what is due now, in its order.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func deliver() async throws -> Int {
    let due = try await claim()
    for webhook in due { try await deliver(webhook) }
    return due.count
  }

  private struct Webhook {
    let id: UUID
    let copy: Int32
    let body: String
  }

  /// What is claimed is due again after its pause, whether or not the one who claimed it lives to send it.
  private func claim() async throws -> [Webhook] {
    let now = bank.time.now
    let tenant = bank.tenant.rawValue
    return try await bank.pool.query(
      """
      with claimed as (
        update aisle.sandbox_webhooks w
        set attempts = w.attempts + 1,
            due_at = \(now)::timestamptz + least(power(2, w.attempts), 3600) * interval '1 second'
        from (
          select notice_id, copy, ordinal, due_at
          from aisle.sandbox_webhooks
          where tenant = \(tenant) and delivered_at is null and due_at <= \(now)
            and attempts < \(Int32(Self.maximumAttempts))
          order by due_at, ordinal, copy
          limit \(Self.batch)
          for update skip locked
        ) d
        where w.tenant = \(tenant) and w.notice_id = d.notice_id and w.copy = d.copy
        returning w.notice_id, w.copy, w.ordinal, w.body, d.due_at as was_due
      )
      select notice_id, copy, body from claimed order by was_due, ordinal, copy
      """
    ).map { row in
      let (id, copy, body) = try row.decode(UUID.self, Int32.self, String.self)
      return Webhook(id: id, copy: copy, body: body)
    }
  }

  private func deliver(_ webhook: Webhook) async throws {
    let body = Array(webhook.body.utf8)
    var failure: String?
    do {
      // Signed anew for each try: the time in the signature is that of the try.
      let signature = WebhookSignature.sign(body, at: bank.time.now, with: secret)
      let answer = try await caller.send(
        "POST", url, headers: [WebhookSignature.header: signature], body)
      if !(200..<300).contains(answer.status) {
        failure = "\(answer.status) \(String(decoding: answer.body.prefix(200), as: UTF8.self))"
      }
    } catch {
      if Task.isCancelled { throw error }
      failure = "\(error)"
    }
    if let failure {
      logger.warning(
        "a webhook was not acknowledged", metadata: ["notice": "\(webhook.id)", "error": "\(failure)"])
    }
    let now = bank.time.now
    try await bank.pool.execute(
      """
      update aisle.sandbox_webhooks
      set delivered_at = case when \(failure == nil) then \(now)::timestamptz end, last_error = \(failure as String?)
      where tenant = \(bank.tenant.rawValue) and notice_id = \(webhook.id) and copy = \(webhook.copy)
      """)
  }
}
