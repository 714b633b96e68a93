import Billing
import Booking
import EventStore
import Ordering
import PostgreSQL
import Vocabulary

extension PrivacyService {
  /// Seals personal data that a release before sealing has stored in the clear: the one change of stored events that
  /// there is, for the owner of the database alone. Events keep their ids, positions and everything else, and read as
  /// before; doing it again changes nothing.
  ///
  /// - Parameter owner: of the schema.
  /// - Returns: how many events were sealed.
  public func sealLog(
    as owner: PostgresPool, progress: (_ position: Position) -> Void = { _ in }
  ) async throws -> Int {
    var sealed = 0
    var position = Position.start
    while true {
      let batch = try await owner.transaction { connection in
        try await connection.liftStatementTimeout()
        let rows = try await connection.query(
          """
          select position
          from aisle.events
          where tenant = \(store.tenant.rawValue) and position > \(position.rawValue)
            and ((type in ('seats-held', 'order-placed') and jsonb_typeof(data -> 'buyer') = 'string')
                 -- Of a release that sealed names only; without a key there is nothing left to seal with.
                 or (type = 'order-placed' and jsonb_typeof(data -> 'payment_method') = 'string'
                     and exists (
                       select from aisle.subject_keys k
                       where k.tenant = \(store.tenant.rawValue)
                         and k.key_id::text = data #>> '{buyer,$sealed,key}'))
                 or (type = 'account-opened' and jsonb_typeof(data -> 'name') = 'string'))
          order by position
          limit 1000
          """)
        let events = try await store.read(at: rows.map { Position(try $0.decode(Int64.self)) })
        try await store.sealStored(events.map { ($0, try Self.personalFields(of: $0)) }, on: connection)
        return (count: events.count, last: events.last?.position)
      }
      guard let last = batch.last else { return sealed }
      sealed += batch.count
      position = last
      progress(last)
    }
  }

  private static func personalFields(of event: RecordedEvent) throws -> [PersonalField] {
    switch event.stream.category {
    case Booking.Event.category: try event.decode(as: Booking.Event.self).personalFields
    case Ordering.Event.category: try event.decode(as: Ordering.Event.self).personalFields
    case Billing.Event.category: try event.decode(as: Billing.Event.self).personalFields
    default: []
    }
  }
}
