import Vocabulary

extension HoldID {
  /// A hold's id names its show, `<show>:<unique>`, so that whoever has the id finds the stream that decides on
  /// it without asking a read model, which may lag.
  ///
  /// `unique` must not contain a colon.
  public static func make(show: ShowID, unique: String) -> HoldID? { HoldID("\(show):\(unique)") }

  /// The show that the hold is for; nil if the id was not made by ``make(show:unique:)``.
  public var show: ShowID? {
    guard let colon = rawValue.lastIndex(of: ":") else { return nil }
    return ShowID(String(rawValue[..<colon]))
  }
}
