import EventStore
import TestSupport
import Testing

@Suite("Stream names")
struct StreamNameTests {
  @Test("a name is a category and an id; the first hyphen parts them")
  func parts() {
    #expect(StreamName("show-hamlet-2026")?.category == "show")
    #expect(StreamName("show-hamlet-2026")?.id == "hamlet-2026")
    #expect(StreamName(category: "show", id: "-a").description == "show--a")
    #expect(StreamName("show--a") == StreamName(category: "show", id: "-a"))
  }

  @Test(
    "what has no hyphen, or nothing on one side of it, is no name",
    arguments: ["", "show", "-", "-a", "show-"])
  func noName(text: String) {
    #expect(StreamName(text) == nil)
  }

  @Test(
    "every id can be written and read back",
    arguments: ["1", "-", "é", "e\u{301}", "\u{301}", "\u{FE0F}x", "a b\n%'\"", "👩‍👩‍👧", " "])
  func roundTrip(id: String) async throws {
    try await withStore { store in
      let name = StreamName(category: "test", id: id)
      #expect(await store.outcome(of: name, .noStream, [.happened()]) == "committed \(name) 1@1")
      for read in [try await store.read(name), try await store.readAll(after: .start)] {
        #expect(read.map { Array($0.stream.id.utf8) } == [Array(id.utf8)])
      }
    }
  }

  @Test("two spellings of a character are two streams, also within one batch")
  func spellings() async throws {
    try await withStore { store in
      let (composed, decomposed) = (stream("caf\u{E9}"), stream("cafe\u{301}"))
      #expect(composed != decomposed)
      let batch = [composed, decomposed].map { [StreamAppend($0, expecting: .noStream, [.happened()])] }
      let outcomes = try await store.pool.transaction { connection in
        try await store.append(batch, inTransactionOf: connection).map(\.summary)
      }
      #expect(outcomes == ["committed test-caf\u{E9} 1@1", "committed test-cafe\u{301} 1@2"])
      for name in [composed, decomposed] { try await #expect(store.version(of: name) == 1) }
    }
  }
}
