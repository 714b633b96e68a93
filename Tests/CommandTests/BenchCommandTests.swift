import Foundation
import TestSupport
import Testing

/// That the benchmarks run and count what they say they count; not how fast anything is.
@Suite("aisle bench")
struct BenchCommandTests {
  private func bench(_ arguments: String...) async throws -> [String: Any] {
    try await withTestDatabase(from: .migrated) { conninfo in
      let program = AisleProgram(database: conninfo)
      let result = try await program.run(arguments: ["bench"] + arguments + ["--json"])
      #expect(result.status == 0, "\(result.errors)")
      let document = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
      return document as? [String: Any] ?? ["rows": document]
    }
  }

  @Test("appends are measured for each kind of stream and size of append, beside inserts and COPY")
  func append() async throws {
    let result = try await bench(
      "append", "--seconds", "1", "--in-flight", "2", "--streams", "unique", "hot", "--batches", "10")
    let rows = try #require(result["rows"] as? [[String: Any]])
    #expect(rows.map { $0["streams"] as? String } == ["unique", "hot", "unique"])
    #expect(rows.map { $0["events_per_append"] as? Int } == [1, 1, 10])
    for row in rows {
      let load = try #require(row["load"] as? [String: Any])
      #expect(try #require(load["appends_per_second"] as? Double) > 0)
      let (p50, p999) = (load["p50_microseconds"] as? Int ?? 0, load["p999_microseconds"] as? Int ?? 0)
      #expect(p50 > 0 && p50 <= p999)
    }
    let yardsticks = try #require(result["yardsticks"] as? [[String: Any]])
    #expect(yardsticks.map { $0["clients"] as? Int } == [2])
    #expect(try #require(result["copy_rows_per_second"] as? Double) > 0)
  }

  @Test("reading fills the log first, and reads and projects all of it")
  func read() async throws {
    let result = try await bench("read", "--events", "3000")
    #expect(result["events"] as? Int == 3000)
    for rate in [
      "copy_rows_per_second", "exported_per_second", "read_per_second", "projected_per_second",
    ] {
      #expect(try #require(result[rate] as? Double) > 0, "\(rate)")
    }
  }

  @Test("growth is measured at each size")
  func growth() async throws {
    let result = try await bench("growth", "--sizes", "1000", "3000", "--seconds", "1", "--rounds", "1")
    let rows = try #require(result["rows"] as? [[String: Any]])
    #expect(rows.map { $0["events"] as? Int } == [1000, 3000])
  }

  @Test("what makes no sense is refused with the usage")
  func usage() async throws {
    for arguments in [
      ["append", "--seconds", "0"], ["append", "--streams", "warm"], ["growth", "--sizes", "5000", "1000"],
    ] {
      let result = try await AisleProgram().run(arguments: ["bench"] + arguments)
      #expect(result.status == 64, "\(arguments)")
      #expect(result.errors.contains("Usage:"))
    }
  }
}
