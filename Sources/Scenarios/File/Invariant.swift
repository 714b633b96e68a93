import Vocabulary

/// Something that must hold at the end of a run: a name, and for a few of them what exactly.
public struct Invariant: Hashable, Sendable {
  public let name: InvariantName
  public let parameter: Parameter

  public enum Parameter: Hashable, Sendable {
    case none
    case count(Int)
    case money(Billed)
  }

  /// An amount that an account's bill of a month must show, tax included.
  public struct Billed: Hashable, Sendable {
    public let account: AccountID
    public let month: Month
    public let amount: Money
  }

  public init(_ name: InvariantName, _ parameter: Parameter = .none) {
    self.name = name
    self.parameter = parameter
  }

  /// As written in the file, for headings: `winners: 12`.
  public var title: String {
    switch parameter {
    case .none: name.rawValue
    case .count(let count): "\(name.rawValue): \(count)"
    case .money(let billed):
      "\(name.rawValue): \(billed.amount.formatted) for \(billed.account) in \(billed.month)"
    }
  }
}
