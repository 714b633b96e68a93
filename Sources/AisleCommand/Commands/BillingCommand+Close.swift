import ArgumentParser
import Foundation
import Services
import Synchronization
import Vocabulary

extension BillingCommand {
  struct CloseMonth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "close",
      abstract: "Close a month: its bills become invoices, with numbers without gaps.",
      discussion: """
        A month can be closed once it is over in the account's time zone. A closed bill never changes; what is ordered or \
        cancelled for it later is an adjustment on the account's next open bill. Closing cannot be undone.

        Bills that cannot be closed are parked and listed with the reason, and the others are closed all the same; the status \
        is 1 then. The same command again goes on with what is open, and with --account retries one alone. Interrupted or \
        killed, it leaves no number out; several may run at once.

          aisle billing close 2026-10
          aisle billing close 2026-10 --account acc-7 --json
          aisle billing parked 2026-10
        """)

    @Argument(help: "The month, such as 2026-10.")
    var month: MonthArgument

    @Option(help: "Only this account.")
    var account: String?

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      if let account, AccountID(account) == nil {
        throw ValidationError("\"\(account)\" is not an account id")
      }
    }

    func run() async throws {
      try await Session.run { [self] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        let printer = ClosingPrinter(month: month.month)
        let closing = try await aisle.billing.close(
          month.month, account: account.flatMap { AccountID($0) },
          RequestContext(actor: "aisle billing close"), progress: printer.show)
        if json { print(try JSONText.document(closing)) } else { show(closing) }
        guard closing.failedCount == 0 else {
          throw CommandFailure(
            "\(closing.failedCount) bills of \(month.month) are still open; when the reason is gone: "
              + "aisle billing close \(month.month)")
        }
      }
    }

    private func show(_ closing: MonthClosing) {
      for invoice in closing.invoices {
        print("✓ \(invoice.invoiceNumber)  \(invoice.accountID)  \(invoice.due)")
      }
      if closing.closedCount > closing.invoices.count {
        print("… and \(closing.closedCount - closing.invoices.count) more")
      }
      for failure in closing.failures {
        print("✗ \(failure.accountID), \(failure.currency): \(failure.message)")
      }
      print(
        "\(closing.closedCount) bills of \(closing.month) closed, \(closing.closedBeforeCount) were before, "
          + "\(closing.failedCount) are open")
    }
  }
  struct Parked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The bills of a month that could not be closed, and why.",
      discussion: """
        Ends with 1 if there are any. When the reason is gone, aisle billing close with --account tries one again, without \
        --account all of them.
        """)

    @Argument(help: "The month, such as 2026-10.")
    var month: MonthArgument

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run { [self] session in
        let bills = try await Aisle(pool: session.pool, logger: session.logger).billing.parkedBills(
          month.month)
        if json {
          print(try JSONText.document(bills))
        } else {
          for bill in bills {
            print("✗ \(bill.accountID), \(bill.currency), tried \(bill.attempts) times: \(bill.message)")
          }
          if bills.isEmpty { print("✓ no bill of \(month.month) is parked") }
        }
        guard bills.isEmpty else {
          throw CommandFailure("\(bills.count) bills of \(month.month) are parked")
        }
      }
    }
  }
}

/// A line a second on standard error.
private final class ClosingPrinter: Sendable {
  private let month: Month
  private let last = Mutex(ContinuousClock.now)

  init(month: Month) { self.month = month }

  func show(_ done: Int, of all: Int) {
    let now = ContinuousClock.now
    let isDue = last.withLock { last in
      if last.duration(to: now) < .seconds(1) { return false }
      last = now
      return true
    }
    guard isDue else { return }
    FileHandle.standardError.write(Data("closing \(month): \(done) of \(all) bills\n".utf8))
  }
}
