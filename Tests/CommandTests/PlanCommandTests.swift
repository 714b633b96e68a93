import Foundation
import TestSupport
import Testing

@Suite("aisle plan")
struct PlanCommandTests {
  /// Runs `body` with a file of this content.
  private func with(_ text: String, _ body: (_ path: String) async throws -> Void) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "plan-\(UUID()).json")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try await body(file.path)
  }

  private static let fine = """
    {"categories": [{"id": "gold", "name": "Gold & more", "price": 4500}], "sections": [{"id": "stalls", \
    "category": "gold", "rows": [{"id": "A", "seats": 4, "aisles_after": [2]}]}]}
    """
  private static let wrong = """
    {"sections": [{"id": "stalls", "price": 100, "rows": [{"id": "A", "seats": 2, "labels": ["1", "1"]}]}]}
    """

  @Test("check says that a plan is fine, and how large it is")
  func fine() async throws {
    try await with(Self.fine) { path in
      let result = try await AisleProgram().run("plan", "check", path)
      #expect(result.status == 0, "\(result)")
      #expect(result.output == "\(path): fine, 4 seats in 1 sections\n")
    }
  }

  @Test("check names each mistake with its place and ends with status 1")
  func wrong() async throws {
    try await with(Self.wrong) { path in
      let result = try await AisleProgram().run("plan", "check", path)
      #expect(result.status == 1)
      #expect(result.output.hasPrefix("\(path)#/sections/0/rows/0/labels: error: Row A has two seats 1"))
      let json = try await AisleProgram().run("plan", "check", "--json", path)
      #expect(json.status == 1)
      let report = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      #expect(report?["valid"] as? Bool == false)
      #expect((report?["issues"] as? [[String: Any]])?.count == 1)
    }
    try await with("{") { path in
      let result = try await AisleProgram().run("plan", "check", path)
      #expect(result.status == 1)
      #expect(result.output.contains("not a JSON document"), "\(result)")
    }
    let missing = try await AisleProgram().run("plan", "check", "/nonexistent.json")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("cannot be read"), "\(missing)")
  }

  @Test("svg draws a plan, and refuses one with mistakes")
  func svg() async throws {
    try await with(Self.fine) { path in
      let result = try await AisleProgram().run("plan", "svg", path, "--currency", "EUR")
      #expect(result.status == 0, "\(result)")
      #expect(result.output.hasPrefix("<svg ") && result.output.hasSuffix("</svg>\n"))
      #expect(result.output.contains("Gold &amp; more 45.00 EUR"))
      #expect(result.output.contains("A-4: available"))
    }
    try await with(Self.wrong) { path in
      let result = try await AisleProgram().run("plan", "svg", path)
      #expect(result.status == 1)
      #expect(result.errors.contains("aisle plan check"), "\(result)")
    }
  }
}
