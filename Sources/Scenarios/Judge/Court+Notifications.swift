extension Court {
  /// After leaving out what came more than once, what arrived is what the log has to tell: no more and no less.
  func everyNotificationArrives(_ invariant: Invariant) async throws -> InvariantResult {
    let messages = performance.messages ?? []
    let accepted = messages.filter(\.isAccepted)
    let events = try await table(
      """
      select e.id::text, e.type, coalesce(l.data ->> 'order_id', substr(l.stream, 7))
      from log_event l
      join aisle.events e on e.tenant = 1 and e.position = l.position
      where l.type in ('order-confirmed', 'order-failed', 'order-seats-cancelled', 'order-cancelled', 'ticket-transferred')
      order by l.position
      """, columns: 3)
    var arrived: [String: Receiver.Message] = [:]
    for message in accepted { arrived[message.id] = arrived[message.id] ?? message }
    var rows: [[String]] = []
    for event in events {
      guard let message = arrived.removeValue(forKey: event[0]) else {
        rows.append([event[0], event[1], event[2], "never arrived"])
        continue
      }
      if message.type != event[1] || message.order != event[2] {
        rows.append([event[0], event[1], event[2], "arrived as \(message.type) of \(message.order)"])
      }
    }
    rows += arrived.values.map { [$0.id, $0.type, $0.order, "arrived, and is not in the log"] }
    rows += messages.filter { !$0.isSigned }.map { [$0.id, $0.type, $0.order, "was not signed"] }
    let refused = messages.count - accepted.count
    let log = finding(
      rows,
      holds:
        "\(counted(events.count, "message")), each arrived and signed; \(counted(messages.count, "delivery", "deliveries")), "
        + "\(Numerals.grouped(refused)) of them answered with 500."
    ) {
      "\(counted($0, "message")) not as the log has it, the first \(rows[0][1]) of \(rows[0][2]): \(rows[0][3])."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      // If every delivery arrived at once, no second try was put to the test.
      holds: !events.isEmpty && refused > 0,
      details: rows.isEmpty ? nil : .init(columns: ["message", "type", "order", "what is wrong"], rows: rows))
  }
}
