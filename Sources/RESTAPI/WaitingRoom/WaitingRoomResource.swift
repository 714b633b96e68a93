import Hummingbird
import Services
import Vocabulary

/// `/v1/shows/{show_id}/queue`, a show's waiting room, and `/v1/queue`, the places in it.
struct WaitingRoomResource: Sendable {
  let rooms: WaitingRooms

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.put("shows/{show_id}/queue", use: open)
    group.get("shows/{show_id}/queue", use: room)
    group.delete("shows/{show_id}/queue", use: close)
    group.post("shows/{show_id}/queue", use: join)
    group.get("queue/{place_id}", use: place)
    group.delete("queue/{place_id}", use: leave)
  }

  // MARK: Organisers

  /// Needs no Idempotency-Key: the same terms again change nothing.
  @Sendable
  private func open(_ request: Request, _ context: APIContext) async throws -> Response {
    let show = try context.identifier("show_id", ShowID.self)
    let terms = try WaitingRoom.Terms(try await request.jsonBody())
    return try .json(WaitingRoomBody(try await rooms.open(show, terms)))
  }

  @Sendable
  private func room(_ request: Request, _ context: APIContext) async throws -> Response {
    let show = try context.identifier("show_id", ShowID.self)
    return try .json(WaitingRoomBody(try await rooms.status(of: show)))
  }

  @Sendable
  private func close(_ request: Request, _ context: APIContext) async throws -> Response {
    try await rooms.close(try context.identifier("show_id", ShowID.self))
    return Response(status: .noContent)
  }

  // MARK: Buyers

  @Sendable
  private func join(_ request: Request, _ context: APIContext) async throws -> Response {
    let show = try context.identifier("show_id", ShowID.self)
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let buyer = try body.faults.finish(body["buyer"].identifier(BuyerID.self))
    // An id that leaves no room for a place's own part cannot be a show's.
    guard let id = PlaceID.make(show: show, unique: key.uniqueID(of: "place", in: show.rawValue)) else {
      throw WaitingRoomRefusal.noRoom(show)
    }
    let (place, isNew) = try await rooms.join(id, show: show, buyer: buyer)
    return try answer(place).created(at: "/v1/queue/\(id)", replayed: !isNew)
  }

  @Sendable
  private func place(_ request: Request, _ context: APIContext) async throws -> Response {
    try answer(try await rooms.look(try context.identifier("place_id", PlaceID.self)))
  }

  private func answer(_ place: WaitingPlace) throws -> Response {
    var response = try Response.json(WaitingPlaceBody(place))
    if let seconds = place.askAgainAfter { response.headers[.retryAfter] = String(seconds) }
    return response
  }

  @Sendable
  private func leave(_ request: Request, _ context: APIContext) async throws -> Response {
    try await rooms.leave(try context.identifier("place_id", PlaceID.self))
    return Response(status: .noContent)
  }
}

extension WaitingRoom.Terms {
  fileprivate init(_ body: JSONNode) throws(Problem) {
    func integer(_ name: String, _ range: ClosedRange<Int>, default absence: Int?) -> Int? {
      body[name].integer(range.int64, default: absence.map(Int64.init)).map(Int.init)
    }
    let (shoppers, admission, absence, capacity) = try body.faults.finish(
      integer("shoppers", Self.shoppers, default: nil),
      integer("admission_seconds", Self.admissionSeconds, default: 600),
      integer("absence_seconds", Self.absenceSeconds, default: 60),
      integer("capacity", Self.capacity, default: 100_000))
    let opensAt = try body.faults.finish(body["opens_at"].ifPresent { $0.timestamp() })
    self.init(
      shoppers: shoppers, admissionSeconds: admission, absenceSeconds: absence, capacity: capacity,
      opensAt: opensAt)
  }
}

/// A waiting room as it is answered.
struct WaitingRoomBody: Encodable {
  let showID: ShowID
  let shoppers: Int
  let admissionSeconds: Int
  let absenceSeconds: Int
  let capacity: Int
  let opensAt: Timestamp?
  let waiting: Int
  let admitted: Int

  private enum CodingKeys: String, CodingKey {
    case showID = "show_id"
    case shoppers
    case admissionSeconds = "admission_seconds"
    case absenceSeconds = "absence_seconds"
    case capacity
    case opensAt = "opens_at"
    case waiting, admitted
  }

  init(_ room: WaitingRoom.Status) {
    showID = room.show
    shoppers = room.terms.shoppers
    admissionSeconds = room.terms.admissionSeconds
    absenceSeconds = room.terms.absenceSeconds
    capacity = room.terms.capacity
    opensAt = room.terms.opensAt
    waiting = room.waiting
    admitted = room.admitted
  }
}

/// A place as it is answered.
struct WaitingPlaceBody: Encodable {
  let place: WaitingPlace

  init(_ place: WaitingPlace) { self.place = place }

  private enum CodingKeys: String, CodingKey {
    case placeID = "place_id"
    case showID = "show_id"
    case status
    case joinedAt = "joined_at"
    case opensAt = "opens_at"
    case position
    case estimate = "estimated_wait_seconds"
    case askAgain = "ask_again_after_seconds"
    case admission
    case expiresAt = "expires_at"
    case endedAt = "ended_at"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(place.id, forKey: .placeID)
    try container.encode(place.show, forKey: .showID)
    try container.encode(place.status, forKey: .status)
    try container.encode(place.joinedAt, forKey: .joinedAt)
    try container.encodeIfPresent(place.opensAt, forKey: .opensAt)
    if let position = place.position {
      try container.encode(position, forKey: .position)
      // Null says that it is not known, rather than nothing.
      try container.encode(place.estimatedSeconds, forKey: .estimate)
    }
    try container.encodeIfPresent(place.askAgainAfter, forKey: .askAgain)
    try container.encodeIfPresent(place.admission?.text, forKey: .admission)
    try container.encodeIfPresent(place.admission?.expiresAt, forKey: .expiresAt)
    try container.encodeIfPresent(place.endedAt, forKey: .endedAt)
  }
}

extension Problem {
  init(_ refusal: WaitingRoomRefusal) {
    switch refusal {
    case .noRoom(let show):
      self = Problem(
        .notFound, "waiting-room-not-found", "Show \(show) has no waiting room; hold seats without one")
    case .noPlace(let id): self = .notFound("waiting-place", id.rawValue)
    case .alreadyInLine(let show):
      self = Problem(
        .conflict, "already-in-line",
        "This buyer has a place in the waiting room of show \(show) already; ask for that one")
    case .full(let show):
      self = Problem(
        .serviceUnavailable, "waiting-room-full",
        "No more places are given in the waiting room of show \(show) now"
      ).retry(after: 30)
    case .idReused(let show):
      self = .idReused(
        "The place in the waiting room of show \(show) of this Idempotency-Key is another buyer's")
    case .admissionNeeded(let show):
      self = .admission(show, "admission-required", "is missing")
    case .admissionInvalid(let show):
      self = .admission(show, "admission-invalid", "is not one of this show and buyer")
    case .admissionOver(let show):
      self = .admission(show, "admission-over", "has been used up, or its time is over")
    }
  }

  private static func admission(_ show: ShowID, _ code: String, _ message: String) -> Problem {
    Problem(
      .forbidden, code,
      """
      Show \(show) has a waiting room, and the admission \(message). POST to /v1/shows/\(show)/queue for a place, and \
      send the admission that it gets with X-Aisle-Admission
      """
    ).with {
      $0.errors = [Fault(.header("X-Aisle-Admission"), message)]
      $0.queue = "/v1/shows/\(show)/queue"
    }
  }
}
