/// The tables that can be queried without parsing JSON. Amounts are minor units of their currency.
enum FactTable: CaseIterable {
  /// First, because the lines of bills depend on it.
  case accounts
  case orders
  case bookings
  case billingLines

  /// Of the streams whose payloads have something for a table.
  static let categories: Set<String> = ["account", "order", "show"]

  var schema: DeltaSchema {
    switch self {
    case .accounts: Self.accountsSchema
    case .orders: Self.ordersSchema
    case .bookings: Self.bookingsSchema
    case .billingLines: Self.billingLinesSchema
    }
  }

  private static let position = DeltaColumn("position", .int64, "of the event in the log")

  private static let accountsSchema = DeltaSchema(
    name: "accounts",
    comment: "What bills depend on besides orders: one row for each such event of an account.",
    columns: [
      position,
      DeltaColumn("account_id", .string, "the account"),
      DeltaColumn("event_type", .string, "account-opened…", few: true),
      DeltaColumn("occurred_at", .timestamp, "when it happened, by the service's clock"),
      DeltaColumn("time_zone", .string, "IANA name, from here on", optional: true, few: true),
      DeltaColumn("payload", .string, "JSON, an object", bounds: false),
    ], partitionColumns: [.tenant, .eventDate])

  private static let ordersSchema = DeltaSchema(
    name: "orders", comment: "What happened to orders: one row for each event of an order.",
    columns: [
      position,
      DeltaColumn("order_id", .string, "whose event it is"),
      DeltaColumn("event_type", .string, "order-placed, order-confirmed, order-cancelled…", few: true),
      DeltaColumn("occurred_at", .timestamp, "when it happened, by the service's clock"),
      DeltaColumn("account_id", .string, "who pays", optional: true),
      DeltaColumn("show_id", .string, "what was ordered", optional: true, few: true),
      DeltaColumn("hold_id", .string, "the hold that the order is for", optional: true, bounds: false),
      DeltaColumn("payment_id", .string, "the payment that it is about", optional: true, bounds: false),
      DeltaColumn("seats", .int32, "how many seats it is about", optional: true, few: true),
      DeltaColumn(
        "amount_minor", .int64,
        "the order's total, the payment or the refund, in minor units; the event's type says which",
        optional: true),
      DeltaColumn("fee_minor", .int64, "what is kept at a cancellation, in minor units", optional: true),
      DeltaColumn("currency", .string, "ISO 4217", optional: true, few: true),
      DeltaColumn("reason", .string, "why it failed or was declined", optional: true, few: true),
    ], partitionColumns: [.tenant, .eventDate])

  private static let bookingsSchema = DeltaSchema(
    name: "bookings",
    comment: "What happened to seats: one row for each seat of each event that names seats.",
    columns: [
      position,
      DeltaColumn("seat_no", .int32, "1, 2, 3… among the seats of the event", few: true),
      DeltaColumn("show_id", .string, "the show", few: true),
      DeltaColumn("seat", .string, "the seat"),
      DeltaColumn(
        "event_type", .string, "seats-held, hold-confirmed, hold-released, hold-expired, booking-cancelled…",
        few: true),
      DeltaColumn("occurred_at", .timestamp, "when it happened, by the service's clock"),
      DeltaColumn("hold_id", .string, "the hold that the seat was or is in", optional: true, bounds: false),
      DeltaColumn("order_id", .string, "the order that booked it", optional: true, bounds: false),
    ], partitionColumns: [.tenant, .eventDate])

  private static let billingLinesSchema = DeltaSchema(
    name: "billing_lines",
    comment: "What accounts are charged for and what they are given back: one row for each line of a bill.",
    columns: [
      position,
      DeltaColumn("line_no", .int32, "1, 2, 3… among the lines of the event", few: true),
      DeltaColumn("line_kind", .string, "charge or refund", few: true),
      DeltaColumn("account_id", .string, "who pays or is paid"),
      DeltaColumn(
        "billing_month", .string, "the bill's month, such as 2026-11, in the account's time zone", few: true),
      DeltaColumn("order_id", .string, "the order", bounds: false),
      DeltaColumn("show_id", .string, "the show", few: true),
      DeltaColumn("seat", .string, "the seat"),
      DeltaColumn("amount_minor", .int64, "tax included, never negative, in minor units", few: true),
      DeltaColumn("tax_minor", .int64, "the part of the amount that is tax, in minor units", few: true),
      DeltaColumn("currency", .string, "ISO 4217", few: true),
      DeltaColumn("occurred_at", .timestamp, "what decides the month"),
    ], partitionColumns: [.tenant, .eventDate])
}
