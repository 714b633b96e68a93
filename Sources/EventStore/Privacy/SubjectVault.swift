import Foundation
import Glibc
import PostgreSQL
import Synchronization
import Vocabulary

/// Seals personal data before it is stored and opens it when it is read, with a key for each person.
///
/// A key is on disk before the first event that uses it is sent. Keys are kept in memory, at most
/// ``maximumCachedKeys`` of each kind of look-up. When somebody is forgotten by another process, they are dropped when
/// its `NOTIFY` arrives, and after ``longestIgnorance`` at the latest. A subscription's transaction does not use them
/// at all: it asks the database, and keeps forgetting out until it has committed.
public final class SubjectVault: Sendable {
  /// Bound of the cache; a full one is emptied.
  public static let maximumCachedKeys = 50_000

  /// After this long without a look at the log, the cache is not trusted.
  public static let longestIgnorance = Duration.seconds(5)

  /// `NOTIFY` channel of forgetting; the payload is the tenant.
  static let channel = "aisle_privacy"

  private struct State {
    var byName: [DataSubject: SubjectKey] = [:]
    /// nil: there is none any more.
    var byID: [UUID: SubjectKey?] = [:]
    /// Position of the last `subject-forgotten`.
    var generation: Int64?
    var checkedAt: ContinuousClock.Instant?
  }

  let keys: SubjectKeyTable
  private let tenant: TenantID
  private let state = Mutex(State())
  private let writer: SubjectKeyWriter

  init(pool: PostgresPool, tenant: TenantID) {
    self.tenant = tenant
    keys = SubjectKeyTable(pool: pool, tenant: tenant)
    writer = SubjectKeyWriter(keys: keys)
  }

  // MARK: Sealing

  /// The appends with every personal field sealed. Nothing is done for events without any.
  func seal(
    _ appends: [StreamAppend], on connection: PostgresConnection? = nil
  ) async throws(AppendError) -> [StreamAppend] {
    let subjects = Set(appends.lazy.flatMap(\.events).flatMap(\.personal).map(\.subject))
    guard !subjects.isEmpty else { return appends }
    let keys: [DataSubject: SubjectKey]
    do {
      keys = try await self.keys(of: subjects, on: connection)
    } catch let error as PostgresError {
      throw .unavailable(error)
    } catch {
      throw .unavailable(PostgresError(.client, "no keys for personal data: \(error)"))
    }
    var result: [StreamAppend] = []
    for append in appends {
      var events: [NewEvent] = []
      for event in append.events { events.append(try seal(event, with: keys)) }
      result.append(StreamAppend(append.stream, expecting: append.expecting, events))
    }
    return result
  }

  private func seal(_ event: NewEvent, with keys: [DataSubject: SubjectKey]) throws(AppendError) -> NewEvent {
    guard !event.personal.isEmpty else { return event }
    guard let fields = PayloadFields(event.data) else {
      throw .invalid("event \(event.type) has personal fields, and its payload is not a JSON object")
    }
    var replacements: [(Range<Int>, [UInt8])] = []
    for personal in event.personal {
      guard let range = fields.values[personal.name] else { continue }
      guard let key = keys[personal.subject] else {
        throw .invalid("there is no key for \(personal.subject.kind)")
      }
      let place = SealedField.Place(tenant: tenant, event: event.id, type: event.type, field: personal.name)
      do {
        replacements.append((range, try SealedField(sealing: event.data[range], at: place, with: key).json))
      } catch {
        throw .invalid("field \(personal.name) of event \(event.type) could not be sealed: \(error)")
      }
    }
    return event.sealed(event.data.replacing(replacements))
  }

  private func keys(
    of subjects: Set<DataSubject>, on connection: PostgresConnection?
  ) async throws -> [DataSubject: SubjectKey] {
    if let connection { return try await keys.make(subjects, on: connection) }
    let generation = try await refreshed(nil)
    var known = state.withLock { state in
      Dictionary(uniqueKeysWithValues: subjects.compactMap { name in state.byName[name].map { (name, $0) } })
    }
    let missing = subjects.filter { known[$0] == nil }
    guard !missing.isEmpty else { return known }
    let made = try await writer.make(missing)
    state.withLock { state in
      guard state.generation == generation else { return }
      if state.byName.count + made.count > Self.maximumCachedKeys { state.byName = [:] }
      state.byName.merge(made) { $1 }
    }
    known.merge(made) { $1 }
    return known
  }

  // MARK: Opening

  /// The events with every sealed field opened; what belongs to somebody who was forgotten reads as a placeholder.
  ///
  /// - Parameter connection: to ask for keys on. If it is in a transaction, which may write what it reads to tables,
  ///   nobody's data is opened who is being forgotten at the same time, and whoever forgets waits for its end.
  func open(
    _ events: [RecordedEvent], on connection: PostgresConnection? = nil
  ) async throws -> [RecordedEvent] {
    var found: [(index: Int, fields: [Found])] = []
    for index in events.indices {
      let fields = sealedFields(of: events[index])
      if !fields.isEmpty { found.append((index, fields)) }
    }
    guard !found.isEmpty else { return events }
    let ids = Set(found.flatMap { $0.fields.map(\.sealed.keyID) })
    let keys = try await keys(ids, on: connection)
    var events = events
    for (index, fields) in found {
      let event = events[index]
      let values = try fields.map { field in
        (range: field.range, value: try open(field, of: event, with: keys[field.sealed.keyID]))
      }
      events[index] = event.reshaped(
        as: EventSchema(event.type, event.schemaVersion), event.data.replacing(values))
    }
    return events
  }

  private struct Found {
    let name: String
    let range: Range<Int>
    let sealed: SealedField
  }

  private func sealedFields(of event: RecordedEvent) -> [Found] {
    guard event.data.maySealSomething, let fields = PayloadFields(event.data) else { return [] }
    return fields.values.compactMap { name, range in
      SealedField(event.data[range]).map { Found(name: name, range: range, sealed: $0) }
    }
  }

  private func open(_ field: Found, of event: RecordedEvent, with key: SubjectKey?) throws -> [UInt8] {
    guard let key else { return Array("\"\(forgottenText)\"".utf8) }
    let place = SealedField.Place(tenant: tenant, event: event.id, type: event.type, field: field.name)
    do {
      return try field.sealed.open(at: place, with: key)
    } catch {
      throw SealedFieldDamaged(eventID: event.id, position: event.position, field: field.name)
    }
  }

  private func keys(
    _ ids: Set<UUID>, on connection: PostgresConnection?
  ) async throws -> [UUID: SubjectKey] {
    if let connection, await connection.isInTransaction {
      return try await keys.read(ids, inTransactionOf: connection)
    }
    let generation = try await refreshed(connection)
    let (known, missing) = state.withLock { state in
      var known: [UUID: SubjectKey] = [:]
      var missing: Set<UUID> = []
      for id in ids {
        if let entry = state.byID[id] { known[id] = entry } else { missing.insert(id) }
      }
      return (known, missing)
    }
    guard !missing.isEmpty else { return known }
    let read = try await keys.read(missing, on: connection)
    state.withLock { state in
      guard state.generation == generation else { return }
      if state.byID.count + missing.count > Self.maximumCachedKeys { state.byID = [:] }
      for id in missing { state.byID.updateValue(read[id], forKey: id) }
    }
    return known.merging(read) { $1 }
  }

  // MARK: Forgetting

  /// How often somebody was forgotten, as a number that grows: whoever keeps what they have read, and finds another
  /// number here, has to read again.
  public func generation() async throws -> Int64 { try await refreshed(nil) }

  /// Looks for people who were forgotten since, unless that was done a moment ago.
  private func refreshed(_ connection: PostgresConnection?) async throws -> Int64 {
    let known = state.withLock { state -> Int64? in
      guard let at = state.checkedAt, at.duration(to: .now) < Self.longestIgnorance else { return nil }
      return state.generation
    }
    if let known { return known }
    let asked = ContinuousClock.now
    let generation = try await keys.lastForgotten(on: connection)
    state.withLock { state in
      if state.generation != generation {
        state.byName = [:]
        state.byID = [:]
      }
      state.generation = generation
      state.checkedAt = asked
    }
    return generation
  }

  /// Somebody may have been forgotten: the cache is not trusted any more.
  public func doubt() {
    state.withLock { state in
      state.byName = [:]
      state.byID = [:]
      state.checkedAt = nil
      // Whoever is reading keys now must not put them into the emptied cache.
      state.generation = nil
    }
  }
}

extension [UInt8] {
  /// Whether there may be a sealed field in this payload: a look at each dollar sign.
  var maySealSomething: Bool {
    withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      var position = 0
      while let found = memchr(base + position, Int32(UInt8(ascii: "$")), bytes.count - position) {
        let dollar = base.distance(to: UnsafeRawPointer(found))
        let end = dollar - 1 + SealedField.marker.count
        if dollar > 0, end <= bytes.count, bytes[dollar - 1..<end].elementsEqual(SealedField.marker) {
          return true
        }
        position = dollar + 1
      }
      return false
    }
  }
}
