import Foundation
import Services
import Vocabulary

/// What somebody who looked at the seats of a show was shown.
struct SeatView: Sendable {
  let who: String
  let show: ShowID
  /// The scenario's clock.
  let simulatedAt: Timestamp
  let startMicroseconds: Int64
  let endMicroseconds: Int64
  /// False for "not modified": it is what was shown before.
  let isNew: Bool
  let version: Int64
  let tag: String
  /// The seats that somebody has, with `held` or `booked`; empty if it is not new.
  let taken: [SeatID: String]
}

/// Looks at a show's seats, over HTTP as a browser does: with the tag of what it has already.
struct SeatLooker: Sendable {
  let outside: Outside
  let aisle: Aisle
  let recorder: RunRecorder

  private struct Body: Decodable {
    let version: Int64
    let seats: [String: String]
  }

  /// - Parameters:
  ///   - lane: a number of one's own.
  ///   - last: what was shown before.
  /// - Returns: nil if the server was too busy.
  func look(
    at show: ShowID, _ who: String, lane: Int, at instant: Timestamp, after last: SeatView?
  ) async throws -> SeatView? {
    let start = recorder.elapsedMicroseconds
    if outside.plan.strategy == .tornViews { return try await tornLook(at: show, who, at: instant, start) }
    let response = try await outside.connection(lane).get("/v1/shows/\(show)/availability", tag: last?.tag)
    let end = recorder.elapsedMicroseconds
    recorder.measure(.poll, .microseconds(end - start), lane: lane)
    func view(isNew: Bool, version: Int64, _ taken: [SeatID: String]) throws -> SeatView {
      guard let tag = response.headers.first(name: "etag") else {
        throw ScenarioRunError("the seats of \(show) were answered without an ETag")
      }
      return SeatView(
        who: who, show: show, simulatedAt: instant, startMicroseconds: start, endMicroseconds: end,
        isNew: isNew,
        version: version, tag: tag, taken: taken)
    }
    switch (response.status.code, last) {
    case (200, _):
      let body = try JSONDecoder().decode(Body.self, from: Data(response.body.readableBytesView))
      return try view(
        isNew: true, version: body.version,
        Dictionary(body.seats.map { (SeatID(unchecked: $0), $1) }) { first, _ in first })
    case (304, let last?): return try view(isNew: false, version: last.version, [:])
    case (429, _), (503, _): return nil
    default: throw ScenarioRunError("the seats of \(show) were answered with \(response.status)")
    }
  }

  /// Control: the version from one statement, the seats from the next.
  private func tornLook(
    at show: ShowID, _ who: String, at instant: Timestamp, _ start: Int64
  ) async throws -> SeatView? {
    let version = try await aisle.readModels.seatMapState(of: show, at: instant)?.version ?? 0
    await Task.yield()
    let taken = try await aisle.readModels.takenSeats(of: show, at: instant)
    return SeatView(
      who: who, show: show, simulatedAt: instant, startMicroseconds: start,
      endMicroseconds: recorder.elapsedMicroseconds, isNew: true, version: version, tag: "\(version)",
      taken: Dictionary(taken.map { ($0.seat, $0.state.rawValue) }) { first, _ in first })
  }
}
