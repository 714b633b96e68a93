import Foundation

/// Whether and when a decider's state is kept beside its stream, so that a process that meets the stream for the first
/// time need not fold all of it.
///
/// A snapshot is only a shorter way to the same state. One that is missing, old, of another schema or not of this
/// stream's history costs time, never a wrong decision.
public struct SnapshotPolicy<State: Sendable>: Sendable {
  struct Codec: Sendable {
    let schema: Int16
    let encode: @Sendable (State) throws -> [UInt8]
    let decode: @Sendable ([UInt8]) throws -> State
  }

  let codec: Codec?
  private let events: Int64

  /// For streams that stay short.
  public static var never: Self { Self(codec: nil, events: .max) }

  /// After so many events, or a quarter of what the last snapshot covers if that is more: all snapshots of a stream
  /// together cost no more than some readings of it, however long it becomes.
  ///
  /// - Parameter schema: of the encoded state. Raise it whenever the state's fields or their meaning change; snapshots
  ///   of another schema are not read, and overwritten in time.
  public static func every(_ events: Int64, schema: Int16) -> Self where State: Codable {
    Self(
      codec: Codec(
        schema: schema, encode: { try PayloadEncoder().encode($0) },
        decode: { try JSONDecoder().decode(State.self, from: Data($0)) }),
      events: max(events, 1))
  }

  func isDue(at version: Int64, kept: Int64) -> Bool {
    codec != nil && version - kept >= max(events, kept / 4)
  }
}
