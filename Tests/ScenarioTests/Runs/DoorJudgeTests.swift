import EventStore
import PostgreSQL
import Services
import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  /// The same for a waiting room.
  @Suite("judged at the door")
  struct JudgedAtTheDoor {
    @Test("holds if nothing was touched")
    func untouched() async throws {
      let results = try await DoorTampering.sample.judge { _, _ in }
      #expect(ScenarioBench.broken(results) == [], ScenarioBench.why(results))
      #expect(Set(results.map(\.name)) == DoorTampering.judged)
    }

    @Test("breaks what was tampered with, and nothing else", arguments: DoorTampering.all)
    func tampered(_ tampering: Tampering) async throws {
      let results = try await DoorTampering.sample.judge(tampering.apply)
      #expect(ScenarioBench.broken(results) == tampering.breaks, ScenarioBench.why(results))
    }

    @Test("counts nobody as inside before being told, after the order, or after the admission's time")
    func inside() {
      let terms = WaitingRoom.Terms(shoppers: 1, admissionSeconds: 11)
      var stay = DoorStay(buyer: BuyerID(unchecked: "ann"), show: ShowID(unchecked: "opera"))
      stay.asks = [.init(1, 2, false), .init(3, 4, false)]
      #expect(stay.inside(terms) == nil)
      stay.asks.append(.init(5, 7, true))
      // Ten seconds from the last question that was answered with "not yet".
      #expect(stay.inside(terms) == 7..<10_000_003)
      stay.goesAtMicroseconds = 9
      #expect(stay.inside(terms) == 7..<9)
      stay.goesAtMicroseconds = 7
      #expect(stay.inside(terms) == nil)
    }
  }
}

enum DoorTampering {
  static let judged: Set<InvariantName> = [.neverMoreInsideThanAllowed, .doorInOrder, .nobodySneaksIn]

  static let all = [
    Tampering("two more were inside when somebody was", breaks: [.neverMoreInsideThanAllowed]) {
      _, performance in
      let stay = try performance.admitted()
      for name in ["twin-1", "twin-2"] {
        var twin = DoorStay(buyer: BuyerID(unchecked: name), show: stay.show)
        twin.asks = stay.asks
        twin.goesAtMicroseconds = stay.goesAtMicroseconds
        performance.stays.append(twin)
      }
    },
    Tampering("somebody who came first was told to wait when all others were in", breaks: [.doorInOrder]) {
      _, performance in
      let first = try #require(performance.stays.map { $0.asks[0].sentMicroseconds }.min())
      let last = try #require(performance.stays.compactMap(\.toldMicroseconds).max())
      var stay = DoorStay(buyer: BuyerID(unchecked: "overtaken"), show: performance.plan.shows[0].id)
      stay.asks = [.init(first - 2, first - 1, false), .init(last + 1, last + 2, false)]
      performance.stays.append(stay)
    },
    Tampering("somebody holds seats who never came to the door", breaks: [.nobodySneaksIn]) {
      _, performance in
      let buyer = try performance.admitted().buyer
      performance.stays.removeAll { $0.buyer == buyer }
    },
    Tampering("somebody was given seats before being let in", breaks: [.nobodySneaksIn]) { _, performance in
      let buyer = try performance.admitted().buyer
      let index = try #require(performance.stays.firstIndex { $0.buyer == buyer })
      let end = try #require(performance.exchanges.map(\.endMicroseconds).max())
      performance.stays[index].asks = performance.stays[index].asks.map {
        $0.isAdmitted ? .init($0.sentMicroseconds, end + 1, true) : $0
      }
    },
    Tampering("nobody came to the door", breaks: judged) { _, performance in performance.stays = [] },
    Tampering("nobody had to wait", breaks: [.neverMoreInsideThanAllowed, .doorInOrder]) { _, performance in
      for index in performance.stays.indices { performance.stays[index].asks.removeAll { !$0.isAdmitted } }
    },
    Tampering(
      "the log has no hold", "delete from aisle.events where type = 'seats-held'", breaks: [.nobodySneaksIn]),
  ]

  static let sample = PlayedSample(
    """
    name: door
    title: Two at a time
    story: Eight come to a house that lets in two at once, and one of them does not stay.
    seed: 1
    clock:
      starts_at: 2026-06-10T12:00:00+02:00
    accounts:
      - {id: walk-ins, name: Sales to the public, time_zone: Europe/Berlin}
    shows:
      - id: opera
        title: On sale
        starts_at: 2026-07-01T19:30:00+02:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        waiting_room: {shopping: 2, admission: 5m}
        sections:
          - {id: stalls, price: 50.00, rows: {A: 20}}
    actors:
      - {name: shopper, kind: shoppers, count: 7, wants: best 1 to 2, think_time: 20ms to 60ms}
      - {name: leaver, kind: shoppers, count: 1, wants: A-20, think_time: 60ms, gives_up: leaves}
    invariants:
      - never-more-inside-than-allowed
      - door-in-order
      - nobody-sneaks-in
    """, file: "door.yaml")
}

extension Performance {
  /// Somebody who was let in and bought.
  fileprivate func admitted() throws -> DoorStay {
    let holders = Set(
      exchanges.filter { $0.answer.verdict == .done }.map { plan.buyers[$0.buyer].id })
    return try #require(stays.first { $0.toldMicroseconds != nil && holders.contains($0.buyer) })
  }
}

extension DoorStay.Ask {
  fileprivate init(_ sent: Int64, _ answered: Int64, _ isAdmitted: Bool) {
    self.init(sentMicroseconds: sent, answeredMicroseconds: answered, isAdmitted: isAdmitted)
  }
}
