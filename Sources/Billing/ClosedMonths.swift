import Vocabulary

extension Billing {
  /// What a line belongs to that came after its month was closed.
  public struct Adjustment: Sendable, Hashable, Codable {
    /// The month of the instant at which it happened, in the account's time zone.
    public let serviceMonth: Month
    /// The invoice that closed that month.
    public let corrects: DocumentNumber

    private enum CodingKeys: String, CodingKey {
      case serviceMonth = "service_month"
      case corrects
    }

    public init(serviceMonth: Month, corrects: DocumentNumber) {
      self.serviceMonth = serviceMonth
      self.corrects = corrects
    }
  }

  /// Which months of one account are closed, and through which position of the log.
  ///
  /// The rule that the tables, the batch and the lake have in common: an order event after the position through which
  /// its month is closed goes to the first month from there on that is not closed for it.
  public struct ClosedMonths: Sendable {
    private struct Closing {
      let throughPosition: Int64
      let number: DocumentNumber
    }

    private var closings: [State.BillKey: Closing] = [:]

    /// Nothing is closed.
    public init() {}

    public mutating func add(
      _ month: Month, _ currency: Currency, through position: Int64, number: DocumentNumber
    ) {
      closings[.init(month: month, currency: currency)] = Closing(throughPosition: position, number: number)
    }

    /// The month of the bill that an order event is for, given the month in which it happened.
    public func month(
      for month: Month, _ currency: Currency, at position: Int64
    ) -> (month: Month, adjustment: Adjustment?) {
      func closing(of month: Month) -> Closing? {
        closings[.init(month: month, currency: currency)].flatMap {
          $0.throughPosition < position ? $0 : nil
        }
      }
      guard let first = closing(of: month) else { return (month, nil) }
      var open = month.next
      // The last month that there is follows itself; it has never ended, so it is never closed.
      while closing(of: open) != nil, open.next != open { open = open.next }
      return (open, Adjustment(serviceMonth: month, corrects: first.number))
    }
  }
}
