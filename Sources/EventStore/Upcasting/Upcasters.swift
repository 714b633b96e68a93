/// Every ``Upcaster`` of a program, checked when it is put together: from each old schema one way leads to one end.
public struct Upcasters: Sendable {
  public enum Mistake: Error, Hashable, Sendable, CustomStringConvertible {
    /// Two upcasters begin with the same schema.
    case ambiguous(EventSchema)
    /// The steps from this schema come back to it.
    case endless(EventSchema)
    /// Within a type, versions only grow.
    case backward(from: EventSchema, to: EventSchema)
    /// A type has a name, and its versions begin with 1.
    case unnamed(EventSchema)

    public var description: String {
      switch self {
      case .ambiguous(let schema): "two upcasters begin with \(schema); only one may"
      case .endless(let schema): "the upcasters from \(schema) lead back to it; a chain has to end"
      case .backward(let from, let to):
        "an upcaster leads from \(from) to \(to); versions of a type only grow"
      case .unnamed(let schema):
        "\"\(schema.type)\" version \(schema.version) is no schema; versions begin with 1"
      }
    }
  }

  public static let none = Upcasters()

  private let steps: [EventSchema: Upcaster]
  /// Where each old schema ends up.
  private let ends: [EventSchema: EventSchema]

  private init() {
    steps = [:]
    ends = [:]
  }

  public init(_ upcasters: [Upcaster]) throws(Mistake) {
    var steps: [EventSchema: Upcaster] = [:]
    for upcaster in upcasters {
      for schema in [upcaster.from, upcaster.to] where schema.type.isEmpty || schema.version < 1 {
        throw .unnamed(schema)
      }
      if upcaster.from.type == upcaster.to.type, upcaster.to.version < upcaster.from.version {
        throw .backward(from: upcaster.from, to: upcaster.to)
      }
      guard steps.updateValue(upcaster, forKey: upcaster.from) == nil else { throw .ambiguous(upcaster.from) }
    }
    var ends: [EventSchema: EventSchema] = [:]
    for start in steps.keys {
      var here = start
      var met: Set<EventSchema> = [start]
      while let step = steps[here] {
        here = step.to
        guard met.insert(here).inserted else { throw .endless(start) }
      }
      ends[start] = here
    }
    self.steps = steps
    self.ends = ends
  }

  public var isEmpty: Bool { steps.isEmpty }

  /// The shape in which events of this schema are read.
  public func present(_ schema: EventSchema) -> EventSchema { ends[schema] ?? schema }

  /// The event in its present shape. One look-up if there is nothing to do.
  func present(_ event: RecordedEvent) throws(UpcastFailed) -> RecordedEvent {
    let stored = EventSchema(event.type, event.schemaVersion)
    guard var step = steps[stored] else { return event }
    var payload = event.data
    while true {
      do {
        payload = try step.upcast(payload)
      } catch {
        throw UpcastFailed(
          eventID: event.id, position: event.position, stored: stored, step: step.from, reason: "\(error)")
      }
      guard let next = steps[step.to] else { return event.reshaped(as: step.to, payload) }
      step = next
    }
  }

  /// What a filter by present types means for stored ones.
  func filter(_ types: [String]) -> TypeFilter {
    var filter = TypeFilter(types: types)
    guard !types.isEmpty, !ends.isEmpty else { return filter }
    let wanted = Set(types)
    var stored = wanted
    for (old, end) in ends {
      switch (wanted.contains(old.type), wanted.contains(end.type)) {
      case (true, false): filter.excluded.append(old.key)
      case (false, true):
        filter.included.append(old.key)
        stored.insert(old.type)
      case (true, true), (false, false): break
      }
    }
    filter.stored = stored.sorted()
    return filter
  }
}

/// A filter by type over what is stored, so that an event is found by the name that it is read under.
///
/// The database must be the one to apply it: who reads a batch takes fewer events than asked for as the log's end.
struct TypeFilter: Sendable, Hashable {
  /// Present names; all events if empty.
  let types: [String]
  /// Names to look at.
  var stored: [String]
  /// Schemas under another name that are read under one of the names.
  var included: [String] = []
  /// Schemas under one of the names that are read under another.
  var excluded: [String] = []

  init(types: [String]) {
    self.types = types
    stored = types
  }

  /// Whether the names alone do not tell.
  var needsVersions: Bool { !included.isEmpty || !excluded.isEmpty }
}

extension RecordedEvent {
  func reshaped(as schema: EventSchema, _ data: [UInt8]) -> RecordedEvent {
    RecordedEvent(
      id: id, stream: stream, version: version, position: position, type: schema.type,
      schemaVersion: schema.version, recordedAt: recordedAt, tags: tags, metadata: metadata, data: data)
  }
}
