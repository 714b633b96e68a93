import ArgumentParser
import Billing
import Services
import Vocabulary

extension BillingCommand {
  struct Credit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Issue a credit note: some or all of an invoice is not owed any more.",
      discussion: """
        The invoice stays what it is. The credit note is a document of its own, with the next number of its series. Without \
        --line everything that is left of the invoice is given back; with it, an amount in minor units of one line, which is \
        named by its position and number as in the bill's lines. What was refunded or credited before is not given back again.

        --key makes a repeated command the same one. Without it, each run that has something to give back issues a credit note.

          aisle billing credit INV-2026-000042 --account acc-7 --reason "The show began late"
          aisle billing credit INV-2026-000042 --account acc-7 --reason "Bad view" --line 1203/1=500 --key case-77
        """)

    @Argument(help: "The invoice, such as INV-2026-000042.")
    var invoice: DocumentNumber

    @Option(help: "Whose invoice it is.")
    var account: String

    @Option(help: "Why, in up to 200 characters. It must not name a person.")
    var reason: String

    @Option(name: .customLong("line"), help: "POSITION/LINE=AMOUNT; may be given several times.")
    var lines: [CreditedLine] = []

    @Option(help: "The same text for the same credit note.")
    var key: String?

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      guard AccountID(account) != nil else { throw ValidationError("\"\(account)\" is not an account id") }
    }

    func run() async throws {
      try await Session.run { [self] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        let context = RequestContext(actor: "aisle billing credit")
        let note = try await aisle.billing.credit(
          lines.isEmpty ? nil : lines.map(\.amount), of: invoice, to: AccountID(unchecked: account),
          because: reason, key: key ?? context.correlationID.uuidString, context)
        if json { return print(try JSONText.document(note)) }
        for line in note.lines {
          print(
            "  \(line.orderID), \(line.seat): \(line.amount.formatted), of which tax \(line.tax.formatted)")
        }
        print("✓ \(note.creditNoteNumber) gives back \(note.gross.formatted) of \(note.corrects)")
      }
    }
  }
}

extension DocumentNumber: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// `POSITION/LINE=AMOUNT` on the command line.
struct CreditedLine: ExpressibleByArgument {
  let amount: Billing.CreditedAmount

  init?(argument: String) {
    guard let match = argument.wholeMatch(of: /([0-9]+)\/([0-9]+)=([0-9]+)/), let position = Int64(match.1),
      let line = Int(match.2), let amount = Int64(match.3)
    else { return nil }
    self.amount = Billing.CreditedAmount(position: position, lineNumber: line, amount: amount)
  }
}
