import Booking
import Foundation
import Ordering
import SMTP
import Vocabulary

extension OrderNews {
  /// The mail to ``recipient``; nil if there is none, or if the event is none that people are written to about.
  func mail(about show: Booking.ShowScheduled, id: UUID, from: EmailAddress) -> MailMessage? {
    guard let recipient, let (subject, paragraphs) = words(about: show) else { return nil }
    let reference = "Order \(order.orderID) on account \(order.accountID)."
    return MailMessage(
      id: "\(id.uuidString.lowercased())@\(from.domain)", from: from.rawValue, to: recipient.rawValue,
      subject: subject,
      text: (paragraphs + [reference]).joined(separator: "\n\n") + "\n",
      date: recordedAt.microseconds / 1_000_000)
  }

  private func words(about show: Booking.ShowScheduled) -> (subject: String, paragraphs: [String])? {
    let title = show.title
    let instant = show.startsAt.rfc3339
    let begin = "\(title) begins on \(instant.prefix(10)) at \(instant.dropFirst(11).prefix(5)) UTC."
    switch event {
    case .orderConfirmed(let fact):
      return (
        "Your tickets for \(title)", ["You have booked:", table(fact.lines, "total", fact.total), begin]
      )
    case .orderFailed(let fact):
      return (
        "Your order for \(title) did not go through",
        [
          "Your order of \(order.lines.map(\.seat.rawValue).joined(separator: ", ")) came to nothing: \(fact.reason).",
          "You have no tickets from it. What you paid, if anything, is given back.",
        ]
      )
    case .orderSeatsCancelled(let fact):
      return (
        "Your cancellation for \(title)",
        ["These tickets are not valid any more:", table(fact.lines, "given back", fact.refund), begin]
      )
    case .orderCancelled(let fact):
      return (
        "Your cancellation for \(title)",
        [
          "Your order is cancelled, and its tickets are not valid any more:",
          table(fact.lines, "given back", fact.refund),
        ]
      )
    case .ticketTransferred(let fact) where fact.email != nil:
      return (
        "A ticket for \(title)",
        ["\(order.buyer) has given you, \(fact.holder), the ticket for seat \(fact.seat).", begin]
      )
    case .ticketTransferred(let fact):
      return (
        "Your ticket for \(title) has a new holder",
        [
          "The ticket for seat \(fact.seat) is \(fact.holder)'s now. You stay the one who pays, and who is refunded."
        ]
      )
    default: return nil
    }
  }

  /// Seats with their amounts, and a sum below.
  private func table(_ lines: [Ordering.Line], _ label: String, _ sum: Money) -> String {
    let rows = lines.map { ($0.seat.rawValue, "\(Money($0.amount, sum.currency))") } + [(label, "\(sum)")]
    let left = rows.map(\.0.count).max() ?? 0
    let right = rows.map(\.1.count).max() ?? 0
    func space(_ width: Int, _ text: String) -> String { String(repeating: " ", count: width - text.count) }
    return rows.map { "  \($0.0)\(space(left, $0.0))  \(space(right, $0.1))\($0.1)" }.joined(separator: "\n")
  }
}
