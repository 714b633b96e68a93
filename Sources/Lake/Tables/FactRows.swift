import Billing
import Parquet
import Vocabulary

import struct Foundation.UUID

/// Makes the rows of the fact tables out of events in order.
///
/// Remembers what bills depend on: of each account what its own events say, such as its time zone.
final class FactRows {
  private var billing = LakeBilling(keepsTotals: false)

  /// Knows nothing yet: the next event is the first one.
  init() {}

  /// Knows what happened up to a position, by the table `accounts`.
  init(asOf position: Int64, layout: LakeLayout, accounts: DeltaLog) throws {
    var commit: [DeltaLog.File] = []
    func read() throws {
      let rows = try DeltaRows(commit, layout: layout, schema: FactTable.accounts.schema)
      while let (row, file) = try rows.next() {
        guard let record = Self.account(row) else {
          throw LakeError.damagedManifest(path: file.path, reason: "a row of it is no event of an account")
        }
        if record.position <= position { _ = billing.apply(record) }
      }
      commit = []
    }
    for file in accounts.files {
      if let first = commit.first, !Self.isSameCommit(first, file) { try read() }
      commit.append(file)
    }
    try read()
  }

  private static let noID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  /// As much of the event as bills depend on.
  private static func account(_ row: [ParquetValue]) -> LakeRecord? {
    func text(_ value: ParquetValue) -> String? {
      value.bytes.flatMap { String(validating: $0, as: UTF8.self) }
    }
    guard row.count == 6, let position = row[0].number, let id = text(row[1]), let type = text(row[2]),
      let instant = row[3].number, let payload = row[5].bytes
    else { return nil }
    return LakeRecord(
      position: position, stream: "account-\(id)", category: "account", version: 1, id: Self.noID,
      type: type, recordedAt: Timestamp(microseconds: instant), data: Array(payload))
  }

  /// Files are named by the range of their commit.
  private static func isSameCommit(_ a: DeltaLog.File, _ b: DeltaLog.File) -> Bool {
    a.path.split(separator: "/").last == b.path.split(separator: "/").last
  }

  /// Each event has to be passed on to every table, in order.
  func make(
    _ table: FactTable, of record: LakeRecord, _ payload: PayloadFields,
    row: ([ParquetValue]) throws -> Void
  ) throws {
    switch (table, record.category) {
    case (.accounts, "account"):
      if LakeBilling.accountTypes.contains(record.type) { try row(account(record, payload)) }
    case (.orders, "order"): try row(order(record, payload))
    case (.bookings, "show"): try seats(record, payload, row)
    case (.billingLines, "order"), (.billingLines, "account"): try lines(record, row)
    default: break
    }
  }

  private func account(_ record: LakeRecord, _ payload: PayloadFields) -> [ParquetValue] {
    [
      .number(record.position), Self.id(record), Self.text(record.type), Self.instant(record, payload),
      payload.text("time_zone"), .bytes(record.data[...]),
    ]
  }

  private func order(_ record: LakeRecord, _ payload: PayloadFields) -> [ParquetValue] {
    let refund = payload.money("refund")
    let total = payload.money("total")
    // The total of an order, the refund of a cancellation, else the amount of a payment.
    let money = total.amount != .null ? total : refund.amount != .null ? refund : payload.money("amount")
    return [
      .number(record.position), Self.id(record), Self.text(record.type), Self.instant(record, payload),
      payload.text("account_id"), payload.text("show_id"), payload.text("hold_id"),
      payload.text("payment_id"), payload.count("lines"), money.amount, payload.money("fee").amount,
      money.currency, payload.text("reason"),
    ]
  }

  private func seats(
    _ record: LakeRecord, _ payload: PayloadFields, _ row: ([ParquetValue]) throws -> Void
  ) throws {
    let seats = payload.texts("seats")
    if seats.isEmpty { return }
    let (show, type) = (Self.id(record), Self.text(record.type))
    let instant = Self.instant(record, payload)
    let (hold, order) = (payload.text("hold_id"), payload.text("order_id"))
    for (index, seat) in seats.enumerated() where seat != .null {
      try row([.number(record.position), .number(Int64(index + 1)), show, seat, type, instant, hold, order])
    }
  }

  /// An event that cannot be billed has no lines; `verify` says what is wrong with it.
  private func lines(_ record: LakeRecord, _ row: ([ParquetValue]) throws -> Void) throws {
    guard billing.apply(record).isEmpty, let entry = billing.lastEntry else { return }
    let kind = record.type == "order-confirmed" ? "charge" : "refund"
    for (index, line) in entry.lines.enumerated() {
      try row([
        .number(record.position), .number(Int64(index + 1)), Self.text(kind),
        Self.text(entry.accountID.rawValue), Self.text("\(entry.month)"), Self.text(entry.orderID.rawValue),
        Self.text(entry.showID.rawValue), Self.text(line.seat.rawValue), .number(line.amount),
        .number(line.tax), Self.text(entry.currency.code), .number(entry.occurredAt.microseconds),
      ])
    }
  }

  /// The stream's name without its category.
  private static func id(_ record: LakeRecord) -> ParquetValue {
    text(String(record.stream.utf8.dropFirst(record.category.utf8.count + 1)) ?? record.stream)
  }

  private static func text(_ text: String) -> ParquetValue { .bytes(Array(text.utf8)[...]) }

  /// What the payload says, else when the log took it.
  private static func instant(_ record: LakeRecord, _ payload: PayloadFields) -> ParquetValue {
    .number((payload.instant ?? record.recordedAt).microseconds)
  }
}
