import EventStore
import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite("Looking up keys")
struct KeyLookupTests {
  @Test(
    "in a table without statistics, whoever stores many people's data reads no more of it than there are people"
  )
  func young() async throws {
    try await withStore { store in
      try await store.pool.execute("alter table aisle.subject_keys set (autovacuum_enabled = false)")
      for round in 0..<20 {
        let events = (0..<100).map { number in
          NewEvent(
            type: "held", data: Array(#"{"buyer": "b-\#(round)-\#(number)"}"#.utf8),
            personal: [PersonalField("buyer", of: DataSubject(kind: "buyer", name: "b-\(round)-\(number)"))])
        }
        try await store.append(to: stream("a"), expecting: .any, events)
      }
      _ = try await store.read(stream("a"), limit: 5_000)
      let read = try await eventually("the statistics of 2,000 keys", within: patience) {
        _ = try await store.pool.query("select pg_stat_clear_snapshot()")
        return try await store.count(
          """
          select (t.seq_tup_read + sum(i.idx_tup_read))::bigint
          from pg_stat_user_tables t
          join pg_stat_user_indexes i on i.relid = t.relid
          where t.relname = 'subject_keys'
          group by t.seq_tup_read
          """)
      } until: {
        $0 >= 2_000
      }
      // Twice when they are stored (not there yet, then there), once when they are read.
      #expect(read <= 8_000)
    }
  }
}
