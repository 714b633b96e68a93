import Configuration
import EventStore
import Foundation
import Logging
import Ordering
import RESTAPI
import SMTP
import Services
import Vocabulary

/// What the environment says. Every key can also be seen with `aisle doctor`.
struct Settings: Sendable {
  /// `AISLE_DATABASE_URL`: a libpq connection string or URI; without it the embedded server is used.
  let databaseURL: String?
  /// `AISLE_OWNER_DATABASE_URL`: the same database as the owner of the schema, for commands that change it; without
  /// it `AISLE_DATABASE_URL` is the owner's too.
  let ownerDatabaseURL: String?
  /// `AISLE_HOME`: where the embedded server keeps its data.
  let home: URL
  /// `AISLE_DATABASE`: which database of the embedded server, for example one that a scenario has kept.
  let databaseName: String
  /// `AISLE_HTTP_PORT`
  let httpPort: Int
  /// `AISLE_POOL_SIZE`: most connections of one process.
  let poolSize: Int
  /// `AISLE_REPORT_POOL_SIZE`: connections of a server besides, for reports.
  let reportPoolSize: Int
  /// `AISLE_REPORT_SECONDS`: how long a statement of a report may take.
  let reportLimit: Duration
  /// `AISLE_RATE_LIMIT_WRITES`, `AISLE_RATE_LIMIT_READS`: how many requests one client may send in how many seconds, such
  /// as `20/10`; as many as it likes by default. `AISLE_TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
  let rateLimits: RateLimits
  /// `AISLE_PARTITIONS`: of subscriptions that several processes shall run at the same time, such as `shows=4,orders=2`.
  /// It must be the same in every process.
  let partitions: [String: Int]
  /// `AISLE_PAYMENTS_URL`: of a payment provider with the sandbox's interface; without it `aisle up` brings its own.
  let paymentsURL: URL?
  /// `AISLE_PAYMENTS_SECRET`: what that provider's webhooks are signed with.
  let paymentsSecret: WebhookSecret?
  /// `AISLE_NOTIFY_URL` and `AISLE_NOTIFY_SECRET`: who is told by webhook what becomes of orders.
  let notifying: NotificationService.Target?
  /// `AISLE_SMTP_URL` and `AISLE_MAIL_FROM`: through which mail server buyers are told, and as whom.
  /// `AISLE_SMTP_AUTHORITIES`: a PEM file of who may certify that server, instead of whom the system trusts.
  let mailing: NotificationService.Mailing?
  /// `AISLE_CANCELLATION_FEES`: what is kept of the price by hours before the show, in basis points, such as
  /// `168=0,24=1000,0=5000`; nothing by default.
  let cancellations: CancellationPolicy
  /// `AISLE_BILLING_LAG`: how many positions of the log the tables of bills may be behind before bills come from the log.
  let billingLag: Int64
  /// `AISLE_RECONCILE_SECONDS`: how often the tables of bills are compared with the log; nil (0): never.
  let comparesBills: Duration?
  /// `AISLE_LOG_LEVEL`; nil: info for servers, warning for other commands.
  let logLevel: Logger.Level?

  init(_ reader: ConfigReader = ConfigReader(provider: EnvironmentVariablesProvider())) throws {
    databaseURL = reader.string(forKey: "aisle.database.url", isSecret: true).flatMap {
      $0.isEmpty ? nil : $0
    }
    ownerDatabaseURL = reader.string(forKey: "aisle.owner.database.url", isSecret: true).flatMap {
      $0.isEmpty ? nil : $0
    }
    home = URL(filePath: reader.string(forKey: "aisle.home", default: ".aisle"), directoryHint: .isDirectory)
    databaseName = reader.string(forKey: "aisle.database", default: "aisle")
    httpPort =
      try Self.integer("AISLE_HTTP_PORT", reader.string(forKey: "aisle.http.port"), in: Self.ports) ?? 8080
    poolSize =
      try Self.integer("AISLE_POOL_SIZE", reader.string(forKey: "aisle.pool.size"), in: 2...1000) ?? 16
    reportPoolSize =
      try Self.integer(
        "AISLE_REPORT_POOL_SIZE", reader.string(forKey: "aisle.report.pool.size"), in: 1...1000)
      ?? 4
    reportLimit = .seconds(
      try Self.integer("AISLE_REPORT_SECONDS", reader.string(forKey: "aisle.report.seconds"), in: 1...3600)
        ?? 30)
    rateLimits = RateLimits(
      writes: try Self.rate("AISLE_RATE_LIMIT_WRITES", reader.string(forKey: "aisle.rate.limit.writes")),
      reads: try Self.rate("AISLE_RATE_LIMIT_READS", reader.string(forKey: "aisle.rate.limit.reads")),
      trustedProxies: try Self.proxies(reader.string(forKey: "aisle.trusted.proxies")))
    partitions = try Self.partitions(reader.string(forKey: "aisle.partitions"))
    paymentsURL = try Self.url("AISLE_PAYMENTS_URL", reader.string(forKey: "aisle.payments.url"))
    paymentsSecret = try Self.secret(
      "AISLE_PAYMENTS_SECRET", reader.string(forKey: "aisle.payments.secret", isSecret: true))
    let notifySecret = try Self.secret(
      "AISLE_NOTIFY_SECRET", reader.string(forKey: "aisle.notify.secret", isSecret: true))
    notifying = try Self.url("AISLE_NOTIFY_URL", reader.string(forKey: "aisle.notify.url")).map { url in
      guard let notifySecret else {
        throw CommandFailure(
          "AISLE_NOTIFY_URL is set, but AISLE_NOTIFY_SECRET is not; make one: openssl rand -hex 32")
      }
      return NotificationService.Target(url: url, secret: notifySecret)
    }
    mailing = try Self.mailing(
      reader.string(forKey: "aisle.smtp.url", isSecret: true), reader.string(forKey: "aisle.mail.from"),
      authorities: reader.string(forKey: "aisle.smtp.authorities"))
    cancellations =
      try reader.string(forKey: "aisle.cancellation.fees").map { text in
        guard let policy = CancellationPolicy(text) else {
          throw CommandFailure(
            "AISLE_CANCELLATION_FEES is \"\(text)\"; use HOURS=BASIS_POINTS, separated by commas, such as 168=0,24=1000,0=5000"
          )
        }
        return policy
      } ?? .free
    billingLag = Int64(
      try Self.integer("AISLE_BILLING_LAG", reader.string(forKey: "aisle.billing.lag"), in: 0...1_000_000_000)
        ?? Int(BillingService.defaultLagLimit))
    let seconds =
      try Self.integer(
        "AISLE_RECONCILE_SECONDS", reader.string(forKey: "aisle.reconcile.seconds"), in: 0...31_536_000)
      ?? 3600
    comparesBills = seconds == 0 ? nil : .seconds(seconds)
    logLevel = try reader.string(forKey: "aisle.log.level").map { text in
      guard let level = Logger.Level(rawValue: text.lowercased()) else {
        throw CommandFailure(
          "AISLE_LOG_LEVEL is \"\(text)\"; use \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
        )
      }
      return level
    }
    guard databaseName.wholeMatch(of: /[A-Za-z0-9_]{1,63}/) != nil else {
      throw CommandFailure(
        "AISLE_DATABASE is \"\(databaseName)\"; use 1 to 63 letters, digits and underscores")
    }
  }

  private static func partitions(_ text: String?) throws -> [String: Int] {
    var partitions: [String: Int] = [:]
    for entry in (text ?? "").split(separator: ",") {
      let parts = entry.split(separator: "=", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard parts.count == 2, Aisle.partitionable.contains(parts[0]), let count = Int(parts[1]),
        (1...Subscription.maximumPartitions).contains(count)
      else {
        throw CommandFailure(
          "AISLE_PARTITIONS has \"\(entry)\"; use NAME=COUNT, with a name of "
            + "\(Aisle.partitionable.sorted().joined(separator: ", ")) and a count of 1 to "
            + "\(Subscription.maximumPartitions), separated by commas")
      }
      partitions[parts[0]] = count
    }
    return partitions
  }

  private static func rate(_ name: String, _ text: String?) throws -> RateLimits.Rate? {
    guard let text, !text.isEmpty else { return nil }
    guard let rate = RateLimits.Rate(text) else {
      throw CommandFailure(
        "\(name) is \"\(text)\"; use REQUESTS/SECONDS, such as 20/10, with up to "
          + "\(RateLimits.Rate.quotas.upperBound) requests in up to \(RateLimits.Rate.windows.upperBound) seconds"
      )
    }
    return rate
  }

  private static func proxies(_ text: String?) throws -> [AddressBlock] {
    try (text ?? "").split(separator: ",").map { entry in
      guard let block = AddressBlock(entry.trimmingCharacters(in: .whitespaces)) else {
        throw CommandFailure(
          "AISLE_TRUSTED_PROXIES is \"\(text ?? "")\"; use addresses or blocks of them, separated by commas, such as "
            + "127.0.0.1,10.0.0.0/8")
      }
      return block
    }
  }

  private static func secret(_ name: String, _ text: String?) throws -> WebhookSecret? {
    guard let text, !text.isEmpty else { return nil }
    guard let secret = WebhookSecret(text) else {
      throw CommandFailure(
        "\(name) is shorter than \(WebhookSecret.minimumLength) bytes and could be guessed; make one: openssl rand -hex 32"
      )
    }
    return secret
  }

  private static func mailing(
    _ url: String?, _ from: String?, authorities: String?
  ) throws -> NotificationService.Mailing? {
    guard let url, !url.isEmpty else { return nil }
    guard let server = SMTPServer(url, authorities: authorities) else {
      throw CommandFailure(
        "AISLE_SMTP_URL is not the address of a mail server; use smtp://HOST:PORT or smtps://HOST, with USER:PASSWORD@ "
          + "before the host if it wants a login")
    }
    guard let from, let address = EmailAddress(from) else {
      throw CommandFailure(
        "AISLE_SMTP_URL is set, but AISLE_MAIL_FROM is \"\(from ?? "")\"; use the address that mail is to come from, such as "
          + "tickets@example.org")
    }
    return NotificationService.Mailing(server: server, from: address)
  }

  private static func url(_ name: String, _ text: String?) throws -> URL? {
    guard let text, !text.isEmpty else { return nil }
    guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host() != nil else {
      throw CommandFailure("\(name) is \"\(text)\"; use an address such as https://payments.example/v1")
    }
    return url
  }

  private static let ports = 1...65_535

  /// A port given as an option.
  static func validate(port: Int?) throws {
    guard let port else { return }
    _ = try integer("--port", "\(port)", in: ports)
  }

  /// A mistake is not passed over in favour of the default: whoever set the variable meant something.
  private static func integer(_ name: String, _ text: String?, in range: ClosedRange<Int>) throws -> Int? {
    guard let text, !text.isEmpty else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw CommandFailure("\(name) is \"\(text)\"; use \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}

/// A message for the person at the terminal; the process ends with status 1.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
