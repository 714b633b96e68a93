import Vocabulary

extension Billing {
  /// What happened to an account.
  public enum Event: Sendable, Hashable {
    case accountOpened(AccountOpened)
    case accountZoneChanged(AccountZoneChanged)
    case charged(Entry)
    case refunded(Entry)
    case monthClosed(MonthClosed)
    case creditNoteIssued(CreditNote)

    /// The stable names of the facts, as the log, SQL and the feed know them.
    public enum Kind: String, Sendable, CaseIterable {
      case accountOpened = "account-opened"
      case accountZoneChanged = "account-zone-changed"
      case charged
      case refunded
      case monthClosed = "month-closed"
      case creditNoteIssued = "credit-note-issued"
    }

    public var kind: Kind {
      switch self {
      case .accountOpened: .accountOpened
      case .accountZoneChanged: .accountZoneChanged
      case .charged: .charged
      case .refunded: .refunded
      case .monthClosed: .monthClosed
      case .creditNoteIssued: .creditNoteIssued
      }
    }
  }

  /// The account has a name and a time zone.
  public struct AccountOpened: Sendable, Hashable, Codable {
    public let accountID: AccountID
    public let name: String
    /// An IANA name. It decides the months of the charges and refunds that come later.
    public let timeZone: String
    public let openedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case name
      case timeZone = "time_zone"
      case openedAt = "opened_at"
    }

    public init(accountID: AccountID, name: String, timeZone: String, openedAt: Timestamp) {
      self.accountID = accountID
      self.name = name
      self.timeZone = timeZone
      self.openedAt = openedAt
    }
  }
}

extension Billing {
  /// The account has moved: its months are those of another time zone from now on. What is in the log before stays where it
  /// is.
  public struct AccountZoneChanged: Sendable, Hashable, Codable {
    public let accountID: AccountID
    /// An IANA name.
    public let timeZone: String
    public let changedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case timeZone = "time_zone"
      case changedAt = "changed_at"
    }

    public init(accountID: AccountID, timeZone: String, changedAt: Timestamp) {
      self.accountID = accountID
      self.timeZone = timeZone
      self.changedAt = changedAt
    }
  }
}

extension Billing.Event: DomainEvent {
  public static let category = "account"

  public var type: String { kind.rawValue }

  public var personalFields: [PersonalField] {
    guard case .accountOpened(let fact) = self else { return [] }
    return [PersonalField("name", of: DataSubject(kind: "account", name: fact.accountID.rawValue))]
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .accountOpened(let fact): try fact.encode(to: encoder)
    case .accountZoneChanged(let fact): try fact.encode(to: encoder)
    case .charged(let entry), .refunded(let entry): try entry.encode(to: encoder)
    case .monthClosed(let fact): try fact.encode(to: encoder)
    case .creditNoteIssued(let fact): try fact.encode(to: encoder)
    }
  }

  public init(type: String, from decoder: any Decoder) throws {
    switch Kind(rawValue: type) {
    case .accountOpened: self = .accountOpened(try .init(from: decoder))
    case .accountZoneChanged: self = .accountZoneChanged(try .init(from: decoder))
    case .charged: self = .charged(try .init(from: decoder))
    case .refunded: self = .refunded(try .init(from: decoder))
    case .monthClosed: self = .monthClosed(try .init(from: decoder))
    case .creditNoteIssued: self = .creditNoteIssued(try .init(from: decoder))
    case nil: throw UnknownEventType(type: type, category: Self.category)
    }
  }
}
