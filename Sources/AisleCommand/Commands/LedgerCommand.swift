import ArgumentParser
import EventStore
import Foundation
import Services
import Vocabulary

struct LedgerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "The general ledger: double entry, from the log.",
    discussion: """
      Accounts: receivable (what buyers owe), cash (what payment providers have for us), refunds_payable (what they are to \
      give back), revenue, fees (kept of cancelled seats) and tax_payable. Debits are positive, credits negative; what one \
      event posts adds up to zero.
      """,
    subcommands: [Balance.self, Export.self])

  struct Balance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The trial balance.",
      discussion: "Exits with status 1 if debits and credits of a currency differ.")

    @Option(help: "Only what occurred until the end of this month (in UTC), such as 2026-11.")
    var through: MonthArgument?

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run { [self] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        // Charges are written by a subscription, and nobody else may be running.
        try await aisle.catchUp()
        let balance = try await aisle.billing.trialBalance(through: through?.month)
        if json {
          print(try JSONText.document(balance))
        } else {
          show(balance)
        }
        guard balance.isBalanced else { throw CommandFailure("debits and credits differ") }
      }
    }

    private func show(_ balance: TrialBalance) {
      guard !balance.currencies.isEmpty else { return print("nothing was posted yet") }
      for currency in balance.currencies {
        print(
          TextTable(
            ["account", "debits", "credits", "balance"],
            currency.entries.map { entry in
              [entry.ledgerAccount, "\(entry.debits)", "\(entry.credits)", "\(entry.balance)"]
            } + [["", "", "", "\(currency.sum)"]]
          ).rendered)
      }
      print("as of position \(balance.asOfPosition)")
    }
  }

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The whole journal in beancount's format.",
      discussion: """
        It ends with assertions of the balances, which are computed another way than the entries: whatever reads the format \
        proves that both agree, for example bin/second-opinion ledger FILE. No names of people are in it.
        """)

    @Option(name: .customLong("to"), help: "The file, which is replaced; without it, standard output.")
    var file: String?

    func run() async throws {
      try await Session.run { [self] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        let end = try await aisle.catchUp()
        let target = try file.map(JournalFile.init)
        let output = target?.handle ?? .standardOutput
        var journal = BeancountJournal()
        var count = 0
        try output.write(contentsOf: Data(journal.header.utf8))
        try await aisle.billing.journal(through: end) { entries in
          count += entries.count
          try output.write(contentsOf: Data(entries.map { journal.text(of: $0) }.joined().utf8))
        }
        let balance = try await aisle.billing.trialBalance(asOf: end)
        try output.write(contentsOf: Data(journal.assertions(balance).utf8))
        try target?.finish()
        Progress.line("\(count) entries, as of position \(end)")
      }
    }
  }
}

/// A file that is there whole or not at all.
private struct JournalFile {
  private let target: URL
  private let unfinished: URL
  let handle: FileHandle

  init(_ path: String) throws {
    target = URL(filePath: path)
    unfinished = target.appendingPathExtension("part")
    guard FileManager.default.createFile(atPath: unfinished.path, contents: nil) else {
      throw CommandFailure("\(unfinished.path) cannot be written; choose another place with --to")
    }
    handle = try FileHandle(forWritingTo: unfinished)
  }

  func finish() throws {
    try handle.synchronize()
    try handle.close()
    guard rename(unfinished.path, target.path) == 0 else {
      throw CommandFailure("\(target.path) cannot be written: \(String(cString: strerror(errno)))")
    }
  }
}
