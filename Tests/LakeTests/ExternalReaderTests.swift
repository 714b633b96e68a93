import Foundation
import Testing

@testable import Lake

/// Programs that nobody here wrote read the lake: the `zstd` tool and Python's `json`.
@Suite("a lake read by other programs")
struct ExternalReaderTests {
  private static let script = """
    import glob, json, subprocess, sys
    count = total = 0
    streams, actors = {}, []
    manifest = [json.load(open(path)) for path in sorted(glob.glob(sys.argv[1] + "/_manifest/*.json"))]
    for entry in manifest:
        for file in entry["files"]:
            text = subprocess.run(["zstd", "-dc", sys.argv[1] + "/" + file["path"]], check=True,
                                  capture_output=True).stdout.decode()
            lines = text.split("\\n")
            assert lines.pop() == ""
            assert len(lines) == file["count"], file
            for line in lines:
                event = json.loads(line)
                count += 1
                assert event["position"] == count, event
                assert event["recorded_at"][:10] == file["event_date"], event
                assert event["stream"].startswith(event["category"] + "-")
                streams[event["stream"]] = streams.get(event["stream"], 0) + 1
                assert event["version"] == streams[event["stream"]], event
                total += event["data"]["n"]
                if event["actor"] is not None:
                    actors.append(event["actor"])
    print(json.dumps({"count": count, "total": total, "actors": actors}))
    """

  private struct Answer: Decodable {
    let count: Int64
    let total: Int
    let actors: [String]
  }

  @Test("gives them every event with the values that went in")
  func python() async throws {
    let log = TestLog.random(2000, seed: 70)
    let lake = TestLake()
    try await lake.export(log, through: 700)
    try await lake.export(log, options: LakeExportOptions(format: .ndjson, targetBytes: 40_000))
    let output = try Python.run(Self.script, [lake.directory.path])
    let answer = try JSONDecoder().decode(Answer.self, from: output)
    #expect(answer.count == 2000)
    #expect(answer.total == (0..<2000).reduce(0, +))
    #expect(answer.actors == log.records.compactMap(\.actor))
  }
}
