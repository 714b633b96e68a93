import Crypto
import Vocabulary

/// The waiting room of a show: how many may shop at once, and what that takes.
///
/// It spares the show a crowd. It decides on no seat: who has been admitted may still find that everything is taken.
public struct WaitingRoom: Sendable {
  /// What an organiser sets.
  public struct Terms: Sendable, Hashable {
    public static let shoppers = 1...10_000
    public static let admissionSeconds = 10...86_400
    public static let absenceSeconds = 10...3_600
    public static let capacity = 1...1_000_000

    /// Most buyers who may shop at once.
    public var shoppers: Int
    /// How long one of them may.
    public var admissionSeconds: Int
    /// Who does not ask for so long loses the turn.
    public var absenceSeconds: Int
    /// Most who may wait.
    public var capacity: Int
    /// Nobody is let in before; whoever waits then is put in order by lot. nil: at once, in the order of joining.
    public var opensAt: Timestamp?

    public init(
      shoppers: Int, admissionSeconds: Int = 600, absenceSeconds: Int = 60, capacity: Int = 100_000,
      opensAt: Timestamp? = nil
    ) {
      self.shoppers = shoppers
      self.admissionSeconds = admissionSeconds
      self.absenceSeconds = absenceSeconds
      self.capacity = capacity
      self.opensAt = opensAt
    }
  }

  public let show: ShowID
  public let terms: Terms
  let key: SymmetricKey

  /// A room as it is at a moment.
  public struct Status: Sendable {
    public let show: ShowID
    public let terms: Terms
    public let waiting: Int
    /// How many have been let in, ever.
    public let admissions: Int
    /// How many are in.
    public let admitted: Int
  }
}

/// Somebody's place in a waiting room.
public struct WaitingPlace: Sendable {
  public enum Status: String, Sendable, Codable {
    case waiting, admitted
    /// An order was confirmed.
    case done
    /// The admission's time is over.
    case expired
    /// Passed over: nobody asked for it.
    case lapsed
    case left
    /// The room was closed: nobody needs an admission any more.
    case closed
  }

  public let id: PlaceID
  public let show: ShowID
  public let status: Status
  public let joinedAt: Timestamp
  /// When lots are drawn; nil once that is over.
  public let opensAt: Timestamp?
  /// At most so many are let in before this one has been, itself counted; nil unless it waits, and before lots are drawn.
  /// It never grows.
  public let position: Int?
  /// How long that takes if admissions end as fast as they did lately; nil if that is not known yet.
  public let estimatedSeconds: Int?
  /// When it makes sense to ask again, in seconds; nil if there is nothing to wait for.
  public let askAgainAfter: Int?
  /// What lets its buyer hold seats.
  public let admission: Admission?
  public let endedAt: Timestamp?
}

/// Why a waiting room does not do what it was asked.
public enum WaitingRoomRefusal: Error, Sendable, Hashable {
  case noRoom(ShowID)
  case noPlace(PlaceID)
  /// The show has another waiting place of this buyer.
  case alreadyInLine(ShowID)
  case full(ShowID)
  case idReused(ShowID)
  /// Holding seats needs an admission, and there is none.
  case admissionNeeded(ShowID)
  /// It was not made here, or for another show or buyer.
  case admissionInvalid(ShowID)
  /// It has been used up, or its time is over.
  case admissionOver(ShowID)
}
