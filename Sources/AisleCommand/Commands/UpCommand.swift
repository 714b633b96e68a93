import ArgumentParser
import Foundation
import Logging
import NIOCore
import PostgreSQL
import RESTAPI
import ServiceLifecycle
import Services

struct UpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Run everything in one process.",
    discussion: """
      Ctrl-C ends it: running requests finish, then the embedded server is stopped.

      Orders can be paid by the test cards of a sandbox payment provider, which runs in the same process and is spoken to \
      over HTTP: "payment_method": "sandbox:approve", "sandbox:decline-later" and others; see docs/rest.md. Set \
      AISLE_PAYMENTS_URL and AISLE_PAYMENTS_SECRET to use one elsewhere.
      """)

  @Option(help: "Port of the REST interface (default: AISLE_HTTP_PORT or 8080).")
  var port: Int?

  @Option(help: "Address to listen on.")
  var host = "127.0.0.1"

  func validate() throws { try Settings.validate(port: port) }

  func run() async throws {
    try await AisleServer(host: host, port: port, roles: Set(Aisle.Role.allCases), bringsSandbox: true).run()
  }
}

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run some roles on an external database; start as many processes as you like.",
    discussion: """
      Needs AISLE_DATABASE_URL and a migrated schema. Processes share the subscriptions evenly; when one ends, is \
      killed or hangs, another one goes on within five seconds. AISLE_PARTITIONS=shows=4,orders=4 lets several of them \
      run the same subscription, each with some of the streams.
      """)

  @Option(help: "Comma-separated: \(Aisle.Role.allCases.map(\.rawValue).joined(separator: ", ")).")
  var roles = Aisle.Role.allCases.map(\.rawValue).joined(separator: ",")

  @Option(help: "Port of the REST interface (default: AISLE_HTTP_PORT or 8080).")
  var port: Int?

  @Option(help: "Address to listen on.")
  var host = "127.0.0.1"

  @Flag(help: "Also run the sandbox payment provider, under /sandbox; needs AISLE_PAYMENTS_SECRET.")
  var sandbox = false

  func validate() throws {
    _ = try parsedRoles()
    try Settings.validate(port: port)
  }

  func run() async throws {
    guard try Settings().databaseURL != nil else {
      throw CommandFailure("aisle serve needs AISLE_DATABASE_URL; for a server of its own use: aisle up")
    }
    let settings = try Settings()
    if sandbox, settings.paymentsSecret == nil {
      throw CommandFailure(
        "--sandbox needs AISLE_PAYMENTS_SECRET, the same in every process; make one: openssl rand -hex 32")
    }
    try await AisleServer(host: host, port: port, roles: try parsedRoles(), bringsSandbox: sandbox).run()
  }

  private func parsedRoles() throws -> Set<Aisle.Role> {
    try Set(
      roles.split(separator: ",").map { name in
        guard let role = Aisle.Role(rawValue: String(name)) else {
          throw ValidationError(
            "\"\(name)\" is not a role; use \(Aisle.Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
      })
  }
}

/// The long-lived process behind `up` and `serve`.
struct AisleServer: Sendable {
  let host: String
  let port: Int?
  let roles: Set<Aisle.Role>
  let bringsSandbox: Bool

  func run() async throws {
    try await Session.run(logLevel: .info, handlesSignals: false) { session in
      // Only the REST interface gives reports.
      guard roles.contains(.api) else { return try await serve(session, reportPool: nil) }
      try await session.withReportPool { try await serve(session, reportPool: $0) }
    }
  }

  private func serve(_ session: Session, reportPool: PostgresPool?) async throws {
    let port = port ?? session.settings.httpPort
    let setup = try PaymentSetup(session, host: host, port: port, bringsSandbox: bringsSandbox)
    let aisle = Aisle(
      pool: session.pool, reportPool: reportPool, partitions: session.settings.partitions,
      payments: setup.payments, cancellations: session.settings.cancellations,
      notifying: session.settings.notifying, mailing: session.settings.mailing,
      billingLag: session.settings.billingLag, comparesBills: session.settings.comparesBills,
      logger: session.logger)
    var services: [any Service] = [BackgroundWork(aisle: aisle, roles: roles)]
    if let webhooks = setup.webhooks { services.append(SandboxWork(webhooks: webhooks)) }
    if roles.contains(.api) {
      var options = RESTAPI.Options()
      options.sandbox = setup.sandbox
      options.limits = session.settings.rateLimits
      services.append(
        RESTAPI(aisle: aisle, logger: session.logger, options: options).application(host: host, port: port))
      session.logger.info(
        "starting",
        metadata: ["url": "http://\(host):\(port)", "roles": "\(roles.map(\.rawValue).sorted())"])
    }
    let group = ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigint, .sigterm],
        logger: session.logger))
    do {
      try await group.run()
    } catch let error as IOError {
      throw CommandFailure(
        "\(host):\(port) cannot be listened on: \(String(cString: strerror(error.errnoCode))). "
          + "Choose another address by --host, another port by --port or AISLE_HTTP_PORT")
    }
  }
}

private struct BackgroundWork: Service {
  let aisle: Aisle
  let roles: Set<Aisle.Role>
  func run() async throws { await aisle.run(roles) }
}

private struct SandboxWork: Service {
  let webhooks: SandboxWebhooks
  func run() async throws { await cancelWhenGracefulShutdown { await webhooks.run() } }
}
