import Testing

@testable import AisleCommand

@Suite("Settings from the environment")
struct SettingsTests {
  @Test(
    "a value that makes no sense is refused with its name and what is allowed, and never replaced by the default",
    arguments: [
      ("AISLE_HTTP_PORT", "http"), ("AISLE_HTTP_PORT", "0"), ("AISLE_HTTP_PORT", "65536"),
      ("AISLE_POOL_SIZE", "many"), ("AISLE_POOL_SIZE", "1"), ("AISLE_LOG_LEVEL", "loud"),
      ("AISLE_DATABASE", "aisle; drop database aisle"), ("AISLE_CANCELLATION_FEES", "24=half"),
      ("AISLE_REPORT_POOL_SIZE", "0"), ("AISLE_REPORT_SECONDS", "soon"), ("AISLE_BILLING_LAG", "-1"),
      ("AISLE_RECONCILE_SECONDS", "hourly"), ("AISLE_RATE_LIMIT_WRITES", "20"),
      ("AISLE_RATE_LIMIT_READS", "0/10"), ("AISLE_TRUSTED_PROXIES", "localhost"),
      ("AISLE_PAYMENTS_URL", "over there"), ("AISLE_NOTIFY_URL", "mailto:ann"),
    ])
  func refused(name: String, value: String) async throws {
    let program = AisleProgram(environment: [name: value])
    let result = try await program.run("events", "read")
    #expect(result.status == 1)
    #expect(result.errors.contains("\(name) is \"\(value)\""), "\(result.errors)")
  }

  @Test(
    "a secret that can be guessed is refused and not repeated",
    arguments: ["AISLE_PAYMENTS_SECRET", "AISLE_NOTIFY_SECRET"])
  func secrets(name: String) async throws {
    let result = try await AisleProgram(environment: [name: "hunter2-hunter2"]).run("events", "read")
    #expect(result.status == 1)
    #expect(result.errors.contains(name) && !result.errors.contains("hunter2"), "\(result.errors)")
  }

  @Test("a payment provider without its secret is refused: no webhook of it could be believed")
  func providerWithoutSecret() async throws {
    let result = try await AisleProgram(environment: ["AISLE_NOTIFY_URL": "http://127.0.0.1:1/"]).run(
      "events", "read")
    #expect(result.status == 1 && result.errors.contains("AISLE_NOTIFY_SECRET"), "\(result.errors)")
  }

  @Test("a port option is checked like the variable")
  func portOption() async throws {
    let result = try await AisleProgram().run("up", "--port", "99999")
    #expect(result.status == 64 || result.status == 1)
    #expect(result.errors.contains("--port is \"99999\"; use 1 to 65535"))
  }
}
