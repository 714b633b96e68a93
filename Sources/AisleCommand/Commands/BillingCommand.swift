import ArgumentParser
import EventStore
import Foundation
import Lake
import Services
import Vocabulary

struct BillingCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "billing", abstract: "What everybody owes for a month.",
    subcommands: [MonthBills.self, CloseMonth.self, Parked.self, Credit.self, Reconcile.self, Rebuild.self])

  enum Source: String, ExpressibleByArgument, CaseIterable {
    case live, batch, lake
  }

  struct MonthBills: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "month",
      abstract: "The bills of one month.",
      discussion: """
        live reads the pre-aggregated tables, batch folds the month from the log in one SQL statement, lake from the \
        files of an export alone. At the same position all three agree to the cent; that position is printed.
        """)

    @Argument(help: "The month, such as 2026-11.")
    var month: MonthArgument

    @Option(help: "Only this account.")
    var account: String?

    @Option(help: "live, batch or lake.")
    var source = Source.live

    @Option(help: "With --source lake: the lake's directory.")
    var lake: String?

    @Option(
      help: """
        With --source lake: who computes. aisle verifies the lake first and folds its events; duckdb and spark ask the \
        Delta table billing_lines, with the same SQL text.
        """)
    var engine = LakeEngine.aisle

    @Option(help: "The engine's program; else duckdb or spark-submit in PATH.")
    var engineProgram: String?

    @Option(help: "With --engine spark: where it runs, such as spark://host:7077.")
    var sparkMaster = "local[*]"

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      if let account, AccountID(account) == nil {
        throw ValidationError("\"\(account)\" is not an account id")
      }
      if source == .lake, lake == nil { throw ValidationError("--source lake needs --lake DIR") }
      if source != .lake, lake != nil { throw ValidationError("--lake goes with --source lake") }
      if source != .lake, engine != .aisle { throw ValidationError("--engine goes with --source lake") }
      if engine == .aisle, engineProgram != nil {
        throw ValidationError("--engine-program goes with --engine duckdb or spark")
      }
    }

    func run() async throws {
      if source == .lake, let lake { return try await fromLake(lake) }
      try await Session.run { [self] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        // Nobody else may be running: bring the tables up to date before reading them.
        if source == .live { try await aisle.catchUp() }
        let bills = try await bills(aisle.billing)
        try show(
          bills.map(LakeBill.init), position: bills.first?.asOfPosition.rawValue, documents: bills)
      }
    }

    private func bills(_ billing: BillingService) async throws -> [Bill] {
      let source: BillSource = source == .batch ? .batch : .preAggregated
      if let account = account.flatMap({ AccountID($0) }) {
        return try await billing.bill(account, month.month, source: source)
      }
      var bills: [Bill] = []
      var cursor: MonthOverview.Cursor?
      repeat {
        let page = try await billing.monthOverview(
          month.month, source: source, after: cursor, limit: BillingService.maximumPage)
        bills += page.bills
        cursor = page.next
      } while cursor != nil
      return bills
    }

    private func fromLake(_ directory: String) async throws {
      if engine != .aisle { return try await fromEngine(directory) }
      let report = try await LakeVerifier.verify(URL(filePath: directory, directoryHint: .isDirectory))
      guard report.isComplete, report.problemCount == 0 else {
        throw CommandFailure(
          "the lake has \(report.problemCount) problems; see: aisle lake verify \(directory)")
      }
      let bills = report.bills.filter { bill in
        bill.month == month.month.description && (account == nil || bill.accountID == account)
      }
      try show(
        bills, position: report.lastPosition,
        documents: bills.map { try LakeBillDocument($0, asOfPosition: report.lastPosition ?? 0) })
    }

    private func fromEngine(_ directory: String) async throws {
      let query = try await LakeBillQuery(
        URL(filePath: directory, directoryHint: .isDirectory), month: month.month,
        account: account.flatMap { AccountID($0) })
      let bills = try await engine.bills(query, program: engineProgram, master: sparkMaster)
      try show(
        bills, position: query.position,
        documents: bills.map { try LakeBillDocument($0, asOfPosition: query.position) })
    }

    private func show(_ bills: [LakeBill], position: Int64?, documents: some Encodable) throws {
      if json { return print(try JSONText.document(documents)) }
      guard !bills.isEmpty else { return print("nothing was billed for \(month.month)") }
      print(BillTable(bills).rendered)
      print("source: \(source.rawValue), as of position \(position ?? 0)")
    }
  }

  struct Reconcile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare the pre-aggregated month with the log, line by line.",
      discussion: "Exits with status 1 on any difference. It never corrects anything.")

    @Argument(help: "The month, such as 2026-11.")
    var month: MonthArgument

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run { [self] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        try await aisle.catchUp()
        let result = try await aisle.billing.reconcile(month.month)
        if json {
          print(try JSONText.document(result))
        } else {
          for difference in result.differences { print("✗ \(difference)") }
          if result.isEqual {
            print(
              "✓ \(result.bills) bills with \(result.lines) lines: the tables and the log agree to the cent at "
                + "position \(result.asOfPosition)")
          }
        }
        if let obstacle = result.obstacle {
          throw CommandFailure(
            "the tables are not complete (\(obstacle.rawValue)), so nothing is proved; see: aisle projections list"
          )
        }
        guard result.isEqual else { throw CommandFailure("\(result.differenceCount) differences") }
      }
    }
  }

  struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Throw the pre-aggregated tables away and fill them again from the log.")

    func run() async throws {
      try await Session.run { session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        try await aisle.billing.rebuild()
        print("rebuilt up to position \(try await aisle.catchUp())")
      }
    }
  }
}

/// `2026-11` on the command line.
struct MonthArgument: ExpressibleByArgument {
  let month: Month

  init?(argument: String) {
    guard let month = Month(argument) else { return nil }
    self.month = month
  }
}

/// Bills side by side, amounts in the currency's major unit.
struct BillTable {
  let bills: [LakeBill]

  init(_ bills: [LakeBill]) { self.bills = bills }

  var rendered: String {
    TextTable(
      ["account", "month", "currency", "gross", "refunds", "due", "tax", "net", "lines"],
      bills.map { bill in
        func amount(_ minorUnits: Int64) -> String {
          guard let currency = Currency(bill.currency) else { return "\(minorUnits)" }
          return String(Money(minorUnits, currency).formatted.dropLast(currency.code.count + 1))
        }
        return [
          bill.accountID, bill.month, bill.currency, amount(bill.gross), amount(bill.refunds),
          amount(bill.due),
          amount(bill.tax), amount(bill.net), "\(bill.lines)",
        ]
      }
    ).rendered
  }
}

/// A bill from the lake with the fields and shapes of one from the database.
private struct LakeBillDocument: Encodable {
  let accountID: String
  let month: String
  let currency: String
  let gross: Money
  let tax: Money
  let refunds: Money
  let net: Money
  let due: Money
  let lines: Int64
  let source = "lake"
  let asOfPosition: Int64

  init(_ bill: LakeBill, asOfPosition: Int64) throws {
    guard let currency = Currency(bill.currency) else {
      throw CommandFailure("the lake has a bill in \(bill.currency), which is not an ISO 4217 currency")
    }
    accountID = bill.accountID
    month = bill.month
    self.currency = currency.code
    gross = Money(bill.gross, currency)
    tax = Money(bill.tax, currency)
    refunds = Money(bill.refunds, currency)
    net = Money(bill.net, currency)
    due = Money(bill.due, currency)
    lines = bill.lines
    self.asOfPosition = asOfPosition
  }

  private enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case month, currency, gross, tax, refunds, net, due, lines, source
    case asOfPosition = "as_of_position"
  }
}

extension LakeBill {
  /// A bill from the database in the lake's shape, so that both print alike.
  init(_ bill: Bill) {
    self.init(
      accountID: bill.accountID.rawValue, month: bill.month.description, currency: bill.currency.code,
      gross: bill.gross.minorUnits, tax: bill.tax.minorUnits, refunds: bill.refunds.minorUnits,
      net: bill.net.minorUnits, due: bill.due.minorUnits, lines: Int64(bill.lines))
  }
}
