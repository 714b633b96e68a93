import Booking
import Hummingbird
import Services
import Vocabulary

/// `/v1/shows/{show_id}/waiting-list` and `/v1/waiting-list`
struct WaitingListResource: Sendable {
  let booking: BookingService
  let time: TimeSource

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.post("shows/{show_id}/waiting-list", use: join)
    group.get("waiting-list/{waiting_id}", use: entry)
    group.delete("waiting-list/{waiting_id}", use: leave)
  }

  @Sendable
  private func join(_ request: Request, _ context: APIContext) async throws -> Response {
    let show = try context.identifier("show_id", ShowID.self)
    let key = try request.idempotencyKey()
    let body = try await request.jsonBody()
    let (buyer, wish) = try body.faults.finish(body["buyer"].identifier(BuyerID.self), HoldRequest.best(body))
    // An id that leaves no room for an entry's own part cannot be a show's.
    guard let hold = HoldID.make(show: show, unique: key.uniqueID(of: "waiting", in: show.rawValue)) else {
      throw Problem(ServiceError.bookingRejected(.showNotScheduled))
    }
    let joined: BookingService.WaitingReceipt
    do throws(ServiceError) {
      joined = try await booking.joinWaitingList(
        WaitingID(offeredAs: hold), show: show, buyer: buyer, wish: wish, context.command)
    } catch .bookingRejected(let rejection) {
      throw Problem(rejection).pointing(toWishFor: rejection)
    }
    return try .json(WaitingBody(joined, of: show, at: time.now))
      .created(at: "/v1/waiting-list/\(hold)", replayed: !joined.receipt.changed)
      .at(joined.receipt.position)
  }

  /// From the show's stream, so it never lags.
  @Sendable
  private func entry(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("waiting_id", WaitingID.self)
    guard let show = id.hold.show else { throw Problem.notFound("waiting-entry", id.rawValue) }
    let found: BookingService.WaitingReceipt
    do throws(ServiceError) {
      found = try await booking.waiting(id, context.command)
    } catch .notFound {
      throw Problem.notFound("waiting-entry", id.rawValue)
    }
    return try .json(WaitingBody(found, of: show, at: time.now), unlessKnownBy: request)
  }

  @Sendable
  private func leave(_ request: Request, _ context: APIContext) async throws -> Response {
    let id = try context.identifier("waiting_id", WaitingID.self)
    let left: BookingService.WaitingReceipt
    do throws(ServiceError) {
      left = try await booking.leaveWaitingList(id, context.command)
    } catch .bookingRejected(.showNotScheduled) {
      throw Problem.notFound("waiting-entry", id.rawValue)
    } catch .notFound {
      throw Problem.notFound("waiting-entry", id.rawValue)
    }
    return Response(status: .noContent).at(left.receipt.position)
  }
}

/// A place on the waiting list as it is answered.
struct WaitingBody: Encodable {
  let waitingID: WaitingID
  let showID: ShowID
  let buyer: BuyerID
  let wish: Booking.Best
  let joinedAt: Timestamp
  /// waiting, offered, served, lapsed or left
  let status: Booking.WaitingRecord.Phase
  /// How many wait before this one; left out unless it waits.
  let ahead: Int?
  /// The seats that were offered; left out before.
  let offer: HoldBody?

  private enum CodingKeys: String, CodingKey {
    case waitingID = "waiting_id"
    case showID = "show_id"
    case buyer, wish
    case joinedAt = "joined_at"
    case status, ahead, offer
  }

  init(_ receipt: BookingService.WaitingReceipt, of show: ShowID, at now: Timestamp) {
    let terms = receipt.entry.terms
    waitingID = terms.waitingID
    showID = show
    buyer = terms.buyer
    wish = terms.wish
    joinedAt = terms.joinedAt
    ahead = receipt.entry.ahead
    offer = receipt.offer.map { HoldBody($0, of: show, at: now) }
    // An offer whose time is over is no longer one, whether or not the log says so already.
    let isOver = receipt.entry.phase == .offered && receipt.offer?.hasExpired(at: now) == true
    status = isOver ? .lapsed : receipt.entry.phase
  }
}

extension Problem {
  /// In this request the wish is the body itself.
  fileprivate func pointing(toWishFor rejection: Booking.Rejection) -> Problem {
    switch rejection {
    case .unknownSection:
      with { $0.errors = [Fault(.pointer("/section"), "is not a section of the show")] }
    case .unknownCategory:
      with { $0.errors = [Fault(.pointer("/category"), "is not a price category of the show")] }
    default: self
    }
  }
}
