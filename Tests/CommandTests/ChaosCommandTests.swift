import Foundation
import TestSupport
import Testing

@Suite("aisle chaos", .timeLimit(.minutes(4)))
struct ChaosCommandTests {
  @Test(
    "a few rounds with kills, pauses of the network and a lost answer lose nothing; the result is one JSON document"
  )
  func rounds() async throws {
    let result = try await AisleProgram().run(
      "chaos", "--rounds", "5", "--seed", "11", "--seconds-per-round", "0.5", "--json", "--faults",
      "kill-backend,kill-postmaster,kill-worker,cut-before-answer,cut-mid-message,half-open")
    #expect(result.status == 0, "\(result.errors)")
    struct Summary: Decodable {
      let rounds: Int
      let failed: Int
      let violations: Int
      let faults: [String: Int]
      let outcomes: [String: Int]
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let summary = try decoder.decode(Summary.self, from: Data(result.output.utf8))
    #expect(summary.rounds == 5 && summary.failed == 0 && summary.violations == 0)
    #expect(summary.faults.values.reduce(0, +) >= 5)
    #expect(summary.outcomes["committed", default: 0] >= 100)
    // A line a round, beside the document.
    #expect(result.errors.contains("round 5, seed "))
  }

  @Test("a history in which an acknowledged append is missing fails with the records that prove it")
  func check() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID()).jsonl").path
    defer { unlink(file) }
    let id = UUID()
    try Data(
      """
      {"at":1000000000,"process":"w1.1","entry":{"appendBegan":{"operation":1,"parts":[{"stream":"a","expected":{"any":{}},"events":[{"id":"\(id)","value":1,"isPoison":false}]}]}}}
      {"at":2000000000,"process":"w1.1","entry":{"appendEnded":{"operation":1,"answer":{"committed":{"_0":[{"stream":"a","version":1,"position":1}]}}}}}

      """.utf8
    ).write(to: URL(filePath: file))
    let result = try await AisleProgram().run("chaos", "check", file)
    #expect(result.status == 1)
    #expect(result.output.contains("acknowledged: event \(id) was acknowledged and is not in the log"))
    #expect(result.output.contains("w1.1 append 1, 1.000000–2.000000 s: a expecting any version"))
  }

  @Test(
    "an unknown fault or a file that is no history is refused with a message",
    arguments: [
      ["chaos", "--faults", "earthquake"], ["chaos", "check", "/dev/null/no-history"],
      ["chaos", "--rounds", "0"],
    ])
  func refused(arguments: [String]) async throws {
    let program = AisleProgram()
    let result = try await program.run(arguments[0], arguments[1], arguments[2])
    #expect(result.status != 0)
    #expect(!result.errors.isEmpty)
  }
}
