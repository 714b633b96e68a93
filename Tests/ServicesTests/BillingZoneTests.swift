import Billing
import EventStore
import Foundation
import PostgreSQL
import Testing
import Vocabulary

@testable import Services

/// Live bills ask Foundation for the time zone, batch bills ask PostgreSQL.
@Suite struct BillingZoneTests {
  @Test("Foundation and PostgreSQL see the same month start in every zone that both know")
  func sameOffsets() async throws {
    try await withBilling { fixture in
      let rows = try await fixture.pool.query("select name from pg_timezone_names order by 1")
      let zones = try rows.map { try $0.decode(String.self) }.compactMap { BillingZone($0) }
      #expect(zones.count > 300)
      // Every hour in which it is midnight somewhere, around each first of a month.
      let instants = try (2026...2027).flatMap { year in
        try (1...12).flatMap { month in
          let first = try Timestamp.at("\(year)-\(month < 10 ? "0" : "")\(month)-01T00:00:00Z")
          return (-14...12).map { first + .seconds($0 * 3600) }
        }
      }
      let local = try await fixture.pool.query(
        """
        select z.name, array_agg(to_char(i.instant at time zone z.name, 'YYYY-MM') order by i.instant)
        from unnest(\(zones.map(\.identifier))) z (name)
        cross join unnest(\(instants)) i (instant)
        group by z.name
        """)
      #expect(local.count == zones.count)
      var different: [String] = []
      for row in local {
        let (name, months) = try row.decode(String.self, [String].self)
        let zone = try #require(BillingZone(name))
        let ours = instants.map { Billing.month(of: $0, in: zone).description }
        if ours != months { different.append(name) }
      }
      #expect(different == [])
    }
  }
}
