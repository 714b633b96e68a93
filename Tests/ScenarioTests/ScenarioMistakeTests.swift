import Testing

@testable import Scenarios

/// A correct scenario with one line changed, and the message that this must give.
struct Mistake: Sendable, CustomTestStringConvertible {
  let what: String
  let line: String
  let instead: String
  let message: String
  /// Another line that has to be different for it.
  var also: (line: String, instead: String)? = nil

  var testDescription: String { what }
}

@Suite("A mistake in a scenario file")
struct ScenarioMistakeTests {
  static let correct = """
    name: small
    title: A small one
    story: Nothing much happens.
    seed: 1
    processes: 2
    clock:
      starts_at: 2026-11-20T21:10:00+01:00
    accounts:
      - id: walk-ins
        time_zone: Europe/Berlin
    shows:
      - id: hamlet
        title: Hamlet
        starts_at: 2026-11-24T19:30:00+01:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        sections:
          - id: stalls
            price: 45.00
            rows: {A: 4, B: 4}
        already_sold: all but 2
    actors:
      - name: buyers
        kind: buyers
        count: 8
        concurrency: 4
        wants: best 1 to 2
        pays: after 5m
        cancels: after 1h
        abandons: 10%
        think_time: 5ms to 50ms
    faults:
      - kill: {process: worker-1, after_acknowledged: 3}
    invariants:
      - no-seat-booked-twice
      - winners: 1
      - refund-in-month: {account: walk-ins, month: 2026-11, amount: 45.00 EUR}
    """

  private static let actors = String(
    correct.split(separator: "actors:\n")[1].split(separator: "faults:")[0].dropLast())

  private static func terminals(_ mix: String) -> String {
    "  - {name: desk, kind: terminals, count: 2, operations: 10, mix: {\(mix)}}"
  }

  @Test("is none in the file that the others are made from")
  func noMistake() throws {
    _ = try ScenarioFile.parse(Self.correct, file: "small.yaml")
  }

  @Test("is reported with its line, its key path and what is allowed", arguments: mistakes)
  func message(_ mistake: Mistake) throws {
    #expect(Self.correct.contains(mistake.line), "the line to change is there")
    let text = Self.correct.replacing(mistake.line, with: mistake.instead, maxReplacements: 1)
    let changed = mistake.also.map { text.replacing($0.line, with: $0.instead, maxReplacements: 1) } ?? text
    let error = #expect(throws: ScenarioFileError.self) {
      try ScenarioFile.parse(changed, file: "small.yaml")
    }
    let problems = error?.problems.map(\.description) ?? []
    #expect(problems.contains { $0.contains(mistake.message) }, "got: \(problems)")
    #expect(error?.problems.allSatisfy { $0.line != nil } == true, "every problem has a line")
  }

  static let mistakes: [Mistake] =
    [
      Mistake(
        what: "an unknown key", line: "seed: 1", instead: "seed: 1\nsed: 2",
        message: "small.yaml:5:1: sed: a scenario has no such key; did you mean seed? Allowed: name, title"),
      Mistake(
        what: "an unknown key further down", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    colour: red",
        message: "shows[0].colour: a show has no such key"),
      Mistake(
        what: "a missing section", line: "clock:\n  starts_at: 2026-11-20T21:10:00+01:00\n", instead: "",
        message: "a scenario needs the key clock, as in `clock: {starts_at:"),
      Mistake(
        what: "a missing key", line: "    currency: EUR\n", instead: "",
        message: "shows[0]: a show needs the key currency, as in `currency: EUR`"),
      Mistake(
        what: "a text for a number", line: "count: 8", instead: "count: many",
        message: "small.yaml:26:12: actors[0].count: must be a whole number from 1 to 100000, not \"many\""),
      Mistake(
        what: "a list for a text", line: "title: A small one", instead: "title: [a, b]",
        message: "title: must be a title, not a list"),
      Mistake(
        what: "nothing at all", line: "title: A small one", instead: "title:", message: "title: is empty"),
      Mistake(
        what: "a text for a section", line: "clock:\n  starts_at: 2026-11-20T21:10:00+01:00",
        instead: "clock: noon",
        message: "clock: must be the clock with the keys starts_at, runs_until, not \"noon\""),
      Mistake(
        what: "nobody", line: "count: 8", instead: "count: 0",
        message: "must be a whole number from 1 to 100000, not \"0\""),
      Mistake(
        what: "more at once than there are", line: "concurrency: 4", instead: "concurrency: 9",
        message: "actors[0].concurrency: is 9, but the group has only 8 members"),
      Mistake(
        what: "an unknown strategy", line: "seed: 1", instead: "seed: 1\nstrategy: oc",
        message: "strategy: must be one of occ, read-model-check, row-lock, any-version,"),
      Mistake(
        what: "an unknown invariant", line: "no-seat-booked-twice", instead: "no-seat-boked-twice",
        message: "invariants[0]: must be one of no-seat-booked-twice,"),
      Mistake(
        what: "an invariant that needs a number", line: "- winners: 1", instead: "- winners",
        message: "winners needs to be told what to expect: a whole number, as in `winners: 12`"),
      Mistake(
        what: "an invariant that takes nothing", line: "- no-seat-booked-twice",
        instead: "- no-seat-booked-twice: 3",
        message: "no-seat-booked-twice takes nothing; write `- no-seat-booked-twice`"),
      Mistake(
        what: "the same invariant twice", line: "- winners: 1", instead: "- winners: 1\n  - winners: 1",
        message: "invariants[2]: winners: 1 is there twice"),
      Mistake(
        what: "an account that is not there", line: "{account: walk-ins,", instead: "{account: nobody,",
        message: "invariants[2].refund-in-month.account: there is no account nobody"),
      Mistake(
        what: "an amount without currency", line: "amount: 45.00 EUR", instead: "amount: 45.00",
        message: "must be an amount and its currency as in 90.00 EUR"),
      Mistake(
        what: "a month that does not exist", line: "month: 2026-11", instead: "month: 2026-13",
        message: "must be a month as in 2026-11, not \"2026-13\""),
      Mistake(
        what: "an instant without offset", line: "starts_at: 2026-11-20T21:10:00+01:00",
        instead: "starts_at: 2026-11-20 21:10",
        message: "clock.starts_at: must be an instant with its offset, as in 2026-11-24T19:30:00+01:00"),
      Mistake(
        what: "a time zone that does not exist", line: "Europe/Berlin", instead: "Europe/Atlantis",
        message:
          "accounts[0].time_zone: must be an IANA time zone as in Europe/Berlin, not \"Europe/Atlantis\""),
      Mistake(
        what: "a currency that does not exist", line: "currency: EUR", instead: "currency: EURO",
        message: "shows[0].currency: must be an ISO 4217 currency as in EUR"),
      Mistake(
        what: "a price with too many decimals", line: "price: 45.00", instead: "price: 45.001",
        message: "sections[0].price: must be a price in EUR with at most 2 decimals"),
      Mistake(
        what: "a tax above everything", line: "tax: 7%", instead: "tax: 101%",
        message: "shows[0].tax: must be a tax from 0% to 100%, not \"101%\""),
      Mistake(
        what: "a duration without unit", line: "hold_ttl: 10m", instead: "hold_ttl: 10",
        message: "hold_ttl: must be a duration as in 250ms, 90s, 10m, 1h30m or 2d"),
      Mistake(
        what: "a hold that lasts too long", line: "hold_ttl: 10m", instead: "hold_ttl: 2d",
        message: "hold_ttl: must be from 1s to 24h"),
      Mistake(
        what: "a row without seats", line: "{A: 4, B: 4}", instead: "{A: 4, B: 0}",
        message: "rows.B: must be a number of seats from 1 to 1000"),
      Mistake(
        what: "rows in no known form", line: "{A: 4, B: 4}", instead: "twenty",
        message: "rows: must be rows as in {A: 20, B: 22} or \"A to T, 25 seats each\""),
      Mistake(
        what: "more seats left than there are", line: "all but 2", instead: "all but 9",
        message: "already_sold: leaves 9 seats free, but the show has 8"),
      Mistake(
        what: "a free seat that is not there", line: "all but 2", instead: "all but C-1",
        message: "already_sold: names the seat C-1, which hamlet does not have"),
      Mistake(
        what: "a wish for a seat that is not there", line: "wants: best 1 to 2", instead: "wants: [A-1, Z-9]",
        message:
          "actors[0].wants[1]: the show hamlet has no seat Z-9; a seat is its row and number, as in A-1"),
      Mistake(
        what: "a wish for more seats than a row has", line: "wants: best 1 to 2", instead: "wants: best 5",
        message: "asks for 5 seats side by side, but the longest row has 4"),
      Mistake(
        what: "a wish for an unknown section", line: "wants: best 1 to 2", instead: "wants: best 2 in attic",
        message: "names the section attic, but hamlet has only stalls"),
      Mistake(
        what: "a wish that counts down", line: "wants: best 1 to 2", instead: "wants: best 2 to 1",
        message: "wants: must be as in `best 2`, `best 1 to 4`"),
      Mistake(
        what: "an unknown show", line: "kind: buyers", instead: "kind: buyers\n    show: othello",
        message: "actors[0].show: there is no show othello in this scenario; there are: hamlet"),
      Mistake(
        what: "an unknown payer", line: "kind: buyers", instead: "kind: buyers\n    account: other",
        message: "actors[0].account: there is no account other in this scenario; there are: walk-ins"),
      Mistake(
        what: "a start before the start", line: "kind: buyers",
        instead: "kind: buyers\n    at: 2026-11-20T21:09:59+01:00",
        message: "actors[0].at: is before the scenario's start, 2026-11-20T20:10:00Z"),
      Mistake(
        what: "an unknown way to pay", line: "pays: after 5m", instead: "pays: later",
        message: "pays: must be `at once`, `never`, or as in `after 11m`, not \"later\""),
      Mistake(
        what: "a cancellation before the payment", line: "cancels: after 1h", instead: "cancels: after 1m",
        message: "cancels: is not after the payment, which comes at 2026-11-20T20:15:00Z"),
      Mistake(
        what: "a cancellation of what was never paid", line: "pays: after 5m", instead: "pays: never",
        message: "cancels: does not fit `pays: never`"),
      Mistake(
        what: "a share without percent", line: "abandons: 10%", instead: "abandons: 0.1",
        message: "abandons: must be a share from 0% to 100%"),
      Mistake(
        what: "a think time that counts down", line: "5ms to 50ms", instead: "50ms to 5ms",
        message: "think_time: must be a duration as in 20ms, or a range as in 5ms to 50ms"),
      Mistake(
        what: "a kill of nobody", line: "process: worker-1", instead: "process: worker-3",
        message: "faults[0].kill.process: must be one of the scenario's processes, worker-1, worker-2"),
      Mistake(
        what: "a kill of the runner", line: "processes: 2\n", instead: "",
        message: "cannot be killed: the scenario runs in one process with its runner; add `processes: 1`"),
      Mistake(
        what: "a control that is none", line: "- winners: 1",
        instead: "- winners: 1\ncontrols:\n  - any-verson: winners",
        message: "controls[0]: must be one of occ, read-model-check,"),
      Mistake(
        what: "a control with a typing error", line: "- winners: 1",
        instead: "- winners: 1\ncontrols:\n  - any-verson: winners", message: "did you mean any-version?"),
      Mistake(
        what: "a control that has every guard", line: "invariants:",
        instead: "controls:\n  - occ: winners\ninvariants:",
        message: "controls[0]: occ has every guard and breaks nothing; controls are read-model-check,"),
      Mistake(
        what: "a control of something else", line: "invariants:",
        instead: "controls:\n  - any-version: all-seats-sold\ninvariants:",
        message: "controls[0].any-version: is all-seats-sold, which this scenario does not demand"),
      Mistake(
        what: "a control that does not say what it breaks", line: "invariants:",
        instead: "controls: [any-version]\ninvariants:",
        message:
          "controls[0]: must be a strategy and what it must break, as in `- read-model-check: no-seat-booked-twice`"
      ),
      Mistake(
        what: "a key of another kind of group", line: "kind: buyers", instead: "kind: pollers",
        message:
          "actors[0].concurrency: a group of pollers has no such key; Allowed: name, kind, count, show, at, think_time"
      ),
      Mistake(
        what: "an unknown kind of group", line: "kind: buyers", instead: "kind: waiter",
        message:
          "kind: must be one of buyers, waiters, shoppers, pollers, terminals, interleavings, not \"waiter\"; did you mean waiters?"
      ),
      Mistake(
        what: "shoppers of a show without a waiting room", line: "kind: buyers\n    count: 8",
        instead: "kind: shoppers\n    count: 8",
        message: "actors[0]: comes by a waiting room, but hamlet has none; add `waiting_room: {shopping: 10}`"
      ),
      Mistake(
        what: "buyers of a show with a waiting room", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    waiting_room: {shopping: 2}",
        message: "actors[0]: would get past the waiting room of hamlet; make it a group of shoppers"),
      Mistake(
        what: "a waiting room for nobody", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    waiting_room: {shopping: 0}",
        message: "shows[0].waiting_room.shopping: must be a whole number from 1 to 10000, not \"0\""),
      Mistake(
        what: "an admission that is too short", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    waiting_room: {shopping: 2, admission: 2s}",
        message: "shows[0].waiting_room.admission: must be from 10s to 86400s, not \"2s\""),
      Mistake(
        what: "a key of a waiting room that there is not", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    waiting_room: {shoping: 2}",
        message: "shows[0].waiting_room.shoping: a waiting room has no such key; did you mean shopping?"),
      Mistake(
        what: "an unknown way to give up", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    waiting_room: {shopping: 2}",
        message: "actors[1].gives_up: must be one of leaves, vanishes, not \"leave\"; did you mean leaves?",
        also: (
          line: "faults:",
          instead:
            "  - {name: gone, kind: shoppers, count: 1, wants: best 1, gives_up: leave}\nfaults:"
        )),
      Mistake(
        what: "an unknown card", line: "pays: after 5m", instead: "card: aprove",
        message: "did you mean approve?"),
      Mistake(
        what: "a card in a scenario without an end", line: "pays: after 5m", instead: "card: approve",
        message: "actors[0].card: needs `runs_until` in the clock"),
      Mistake(
        what: "giving back at no time", line: "cancels: after 1h", instead: "gives_back: all",
        message: "actors[0].gives_back: needs the key cancels, which says when"),
      Mistake(
        what: "giving back nothing that there is", line: "cancels: after 1h",
        instead: "cancels: after 1h\n    gives_back: some",
        message: "gives_back: must be `all`, or as in `1 seat` or `2 seats`, not \"some\""),
      Mistake(
        what: "fees without an hour", line: "accounts:", instead: "cancellation_fees: {soon: 10%}\naccounts:",
        message: "cancellation_fees: must be whole hours before the show, as in 24h or 7d, not \"soon\""),
      Mistake(
        what: "notifications that always fail", line: "accounts:",
        instead: "notifications: {fails_every: 1}\naccounts:",
        message: "notifications.fails_every: must be a whole number from 2 to 1000"),
      Mistake(
        what: "a show that is called off before it begins", line: "    hold_ttl: 10m",
        instead: "    hold_ttl: 10m\n    called_off_at: 2026-01-01T00:00:00Z",
        message: "called_off_at: is before the scenario's start"),
      Mistake(
        what: "a mix that is not all", line: actors, instead: terminals("find-open-seats: 35%"),
        message: "actors[0].mix: comes to 35 %; the shares have to come to 100 %"),
      Mistake(
        what: "an operation with a typing error", line: actors, instead: terminals("find-open-seat: 100%"),
        message: "did you mean find-open-seats?"),
      Mistake(
        what: "somebody who waits and never looks", line: actors,
        instead: "  - {name: line, kind: waiters, count: 2, wants: best 1}",
        message: "actors[0]: a group of waiters needs the key looks_at, as in `looks_at: [+1h, +2h]`"),
      Mistake(
        what: "a look before the wait", line: actors,
        instead: "  - {name: line, kind: waiters, count: 2, at: +1h, wants: best 1, looks_at: +30m}",
        message: "actors[0].looks_at: is not after the group starts to wait"),
      Mistake(
        what: "a wait for a seat by name", line: actors,
        instead: "  - {name: line, kind: waiters, count: 2, wants: A-1, looks_at: +30m}",
        message: "actors[0].wants: names seats; who waits says how many and of which kind"),
      Mistake(
        what: "orders of events for more than one seat", line: actors,
        instead: "  - {name: order, kind: interleavings, events: [expire, pay]}",
        message: "plays every order of events for one seat, but hamlet has 8"),
      Mistake(
        what: "orders of events without a payment", line: actors,
        instead: "  - {name: order, kind: interleavings, events: [expire, cancel]}",
        message: "actors[0].events: has no payment; add pay or pay-and-die",
        also: ("rows: {A: 4, B: 4}\n        already_sold: all but 2", "rows: {A: 1}")),
      Mistake(
        what: "an event with a typing error", line: actors,
        instead: "  - {name: order, kind: interleavings, events: [expired, pay]}",
        message: "did you mean expire?",
        also: ("rows: {A: 4, B: 4}\n        already_sold: all but 2", "rows: {A: 1}")),
      Mistake(
        what: "a category that is not there", line: "wants: best 1 to 2", instead: "wants: best 2 of premium",
        message: "names the category premium, but hamlet has no categories"),
      Mistake(
        what: "a category with a typing error", line: "    sections:",
        instead: "    categories: {premium: 90.00}\n    sections:",
        message: "wants: names the category premum, but hamlet has only premium; did you mean premium?",
        also: ("wants: best 1 to 2", "wants: best 2 of premum")),
      Mistake(
        what: "a section of no category", line: "        price: 45.00",
        instead: "        category: premiun",
        message:
          "sections[0].category: there is no category premiun; the show has premium; did you mean premium?",
        also: ("    sections:", "    categories: {premium: 90.00}\n    sections:")),
      Mistake(
        what: "seats without any price", line: "        price: 45.00\n", instead: "",
        message: "sections[0]: needs a price or a category, since not all of its rows have a category",
        also: ("    sections:", "    categories: {premium: 90.00}\n    sections:")),
      Mistake(
        what: "a wheelchair place beyond the row", line: "{A: 4, B: 4}",
        instead: "{A: {seats: 4, wheelchair: [5]}, B: 4}",
        message: "rows.A.wheelchair[0]: must be a seat of the row from 1 to 4"),
      Mistake(
        what: "a wheelchair place for a companion", line: "{A: 4, B: 4}",
        instead: "{A: {seats: 4, wheelchair: [1], companion: [1]}, B: 4}",
        message: "rows.A.companion: has the seat 1, which is a wheelchair place already"),
      Mistake(
        what: "a wish for wheelchair places where there are none", line: "wants: best 1 to 2",
        instead: "wants: best 2 with 1 wheelchair",
        message: "wants: asks for wheelchair places, but hamlet has none"),
      Mistake(
        what: "another name than the file's", line: "name: small", instead: "name: big",
        message: "name: must be the file's name, small"),
      Mistake(
        what: "a key twice", line: "seed: 1", instead: "seed: 1\nseed: 2", message: "has the key seed twice"),
      Mistake(
        what: "broken YAML", line: "title: A small one", instead: "title: \"A small one",
        message: "is not valid YAML"),
    ]

  @Test("does not hide the next one")
  func allAtOnce() {
    let text = Self.correct.replacing("seed: 1", with: "seed: x").replacing("tax: 7%", with: "tax: 7")
      .replacing("count: 8", with: "count: x")
    let error = #expect(throws: ScenarioFileError.self) { try ScenarioFile.parse(text, file: "small.yaml") }
    #expect(error?.problems.map(\.keyPath) == ["seed", "shows[0].tax", "actors[0].count"])
  }

  @Test("is a whole empty file")
  func empty() {
    let error = #expect(throws: ScenarioFileError.self) { try ScenarioFile.parse("", file: "small.yaml") }
    #expect(
      error?.description.hasPrefix("small.yaml: is empty; it must be a scenario with the keys name") == true)
  }
}
