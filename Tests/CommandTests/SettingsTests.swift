import Testing

@testable import AisleCommand

@Suite("Settings from the environment")
struct SettingsTests {
  @Test(
    "a value that makes no sense is refused with its name and what is allowed, and never replaced by the default",
    arguments: [
      ("AISLE_HTTP_PORT", "http"), ("AISLE_HTTP_PORT", "0"), ("AISLE_HTTP_PORT", "65536"),
      ("AISLE_POOL_SIZE", "many"), ("AISLE_POOL_SIZE", "1"), ("AISLE_LOG_LEVEL", "loud"),
      ("AISLE_DATABASE", "aisle; drop database aisle"),
    ])
  func refused(name: String, value: String) async throws {
    let program = AisleProgram(environment: [name: value])
    let result = try await program.run("events", "read")
    #expect(result.status == 1)
    #expect(result.errors.contains("\(name) is \"\(value)\""), "\(result.errors)")
  }

  @Test("a port option is checked like the variable")
  func portOption() async throws {
    let result = try await AisleProgram().run("up", "--port", "99999")
    #expect(result.status == 64 || result.status == 1)
    #expect(result.errors.contains("--port is \"99999\"; use 1 to 65535"))
  }
}
