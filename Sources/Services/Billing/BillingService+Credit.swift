import Billing
import EventStore
import Foundation
import PostgreSQL
import Vocabulary

extension BillingService {
  /// Most credit notes of one invoice.
  static let maximumCredits = 1000

  /// Corrects an invoice: gives back some amounts of its lines, or all that is left of it if none are named. The invoice stays
  /// what it is; the credit note is a document with a number of its own, without gaps too.
  ///
  /// What was refunded or credited of a line before cannot be given back again. The same call with the same key gives the same
  /// credit note.
  /// - Parameter key: what makes a repeated call the same one.
  public func credit(
    _ amounts: [Billing.CreditedAmount]? = nil, of invoice: DocumentNumber, to account: AccountID,
    because reason: String, key: String, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> IssuedCreditNote {
    let invoice = try await self.invoice(invoice, of: account)
    let id = UUID.derived(from: "credit-note", invoice.invoiceNumber.description, key)
    // How often a number is asked for that others take, or an invoice that others correct. Each time one of them gets on.
    for _ in 1...100 {
      do {
        let known = try await store.head()
        let before = try await credits(of: invoice.invoiceNumber)
        if let issued = before.first(where: { $0.id == id }) {
          return try issued.matching(amounts, reason)
        }
        guard before.count < Self.maximumCredits else {
          throw ServiceError.invalid(
            "invoice \(invoice.invoiceNumber) has \(before.count) credit notes, which is the most")
        }
        let now = time.now
        let numbers = StreamName.numbers(.creditNote, year: Month(of: now).year)
        let number = DocumentNumber(
          series: .creditNote, year: Month(of: now).year, ordinal: try await store.version(of: numbers) + 1)
        let note = try Billing.credit(
          amounts, of: try await creditable(invoice, before.map(\.note)), because: reason, as: number, at: now
        )
        let outcome = try await append(note, id: id, numbers, knowing: known, context)
        switch outcome {
        case .committed(let receipt):
          return IssuedCreditNote(note, at: receipt.streams.lazy.compactMap(\.position).min() ?? .start)
        case .conflict, .duplicate: continue
        case .unknown(let error):
          throw ServiceError.outcomeUnknown(
            "the connection was lost while crediting \(note.corrects): \(error)")
        }
      } catch let rejection as Billing.Rejection {
        throw .billingRejected(rejection)
      } catch AppendError.eventIDReused {
        // Issued meanwhile, under a number of another year.
        continue
      } catch {
        throw ServiceError(reading: error)
      }
    }
    throw .overloaded("others issue credit notes all the time; try again")
  }

  private func append(
    _ note: Billing.CreditNote, id: UUID, _ numbers: StreamName, knowing known: Position,
    _ context: RequestContext
  ) async throws -> AppendOutcome {
    let assigned = NumberAssigned(
      number: note.number, accountID: note.accountID, month: note.month, currency: note.currency)
    let credits = BillTags.credits(of: note.corrects)
    return try await store.append(
      [
        StreamAppend(
          .account(note.accountID), expecting: .any,
          [
            try NewEvent(
              Billing.Event.creditNoteIssued(note), id: id,
              tags: [credits, BillTags.creditNotes(of: note.accountID)], metadata: context.metadata())
          ]),
        StreamAppend(
          numbers, expecting: .version(note.number.ordinal - 1),
          [
            try NewEvent(
              assigned, id: .derived(from: "credit-note-numbered", id.uuidString),
              metadata: context.metadata(causedBy: id))
          ]),
      ],
      // Nobody else has given back anything of the invoice meanwhile.
      requiring: [AppendCondition(noEventsTagged: [credits], after: known)])
  }

  // MARK: What can be credited

  private struct Credit {
    let id: UUID
    let position: Position
    let note: Billing.CreditNote

    /// The same request, or another one under the same key?
    func matching(_ amounts: [Billing.CreditedAmount]?, _ reason: String) throws(ServiceError)
      -> IssuedCreditNote
    {
      let given = Set(note.lines.map { "\($0.position) \($0.lineNumber) \($0.amount)" })
      let wanted = amounts.map { Set($0.map { "\($0.position) \($0.lineNumber) \($0.amount)" }) }
      guard reason == note.reason, wanted == nil || wanted == given else {
        throw .billingRejected(.creditKeyReused(note.number))
      }
      return IssuedCreditNote(note, at: position)
    }
  }

  private func credits(of invoice: DocumentNumber) async throws -> [Credit] {
    let events = try await store.readAll(
      after: .start, tags: [BillTags.credits(of: invoice)], limit: Self.maximumCredits)
    return try events.compactMap { event in
      guard case .creditNoteIssued(let note) = try event.decode(as: Billing.Event.self) else { return nil }
      return Credit(id: event.id, position: event.position, note: note)
    }
  }

  /// The charges of an invoice, with what was credited and refunded of them by now.
  private func creditable(
    _ invoice: Invoice, _ credits: [Billing.CreditNote]
  ) async throws -> Billing.CreditableInvoice {
    struct Place: Hashable {
      let position: Int64
      let line: Int
    }
    var credited: [Place: Int64] = [:]
    for line in credits.flatMap(\.lines) {
      credited[Place(position: line.position, line: line.lineNumber), default: 0] += line.amount
    }
    var charges: [BillLine] = []
    var cursor: BillLine.Cursor = .start
    repeat {
      // As of the closing: every page is of the same bill.
      let page = try await batch.lines(
        of: invoice.accountID, invoice.month, asOf: invoice.throughPosition, after: cursor,
        limit: Self.maximumPage)
      charges += page.rows.filter { $0.kind == .charge && $0.amount.currency == invoice.currency }
      guard page.rows.count == Self.maximumPage, let last = page.rows.last else { break }
      cursor = last.cursor
    } while true
    let refunds = try await refunds(of: Set(charges.map(\.orderID)))
    return Billing.CreditableInvoice(
      number: invoice.invoiceNumber, accountID: invoice.accountID, month: invoice.month,
      currency: invoice.currency,
      lines: charges.map { line in
        Billing.CreditableLine(
          position: line.position.rawValue, lineNumber: line.lineNumber, orderID: line.orderID,
          seat: line.seat,
          amount: line.amount.minorUnits, taxRateBasisPoints: line.taxRateBasisPoints ?? 0,
          credited: credited[Place(position: line.position.rawValue, line: line.lineNumber)] ?? 0,
          refunded: refunds["\(line.orderID) \(line.seat)"] ?? 0)
      })
  }

  /// What was given back of some orders' seats, whichever bill it is on.
  private func refunds(of orders: Set<OrderID>) async throws -> [String: Int64] {
    let tenant = store.tenant.rawValue
    let rows = try await store.pool.query(
      """
      select e.data ->> 'order_id', l.seat, sum(l.amount)::bigint
      from aisle.streams s
      join aisle.events e on e.tenant = s.tenant and e.stream_id = s.id
      cross join lateral jsonb_to_recordset(e.data -> 'lines') as l (seat text, amount bigint)
      where s.tenant = \(tenant) and s.name = any (\(orders.map { StreamName.order($0).description }))
        and e.tenant = \(tenant) and e.type in ('order-cancelled', 'order-seats-cancelled')
      group by 1, 2
      """)
    return Dictionary(
      try rows.map { row in
        let (order, seat, amount) = try row.decode(String.self, String.self, Int64.self)
        return ("\(order) \(seat)", amount)
      }, uniquingKeysWith: +)
  }
}
