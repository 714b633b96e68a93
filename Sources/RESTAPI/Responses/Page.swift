import EventStore
import Foundation

/// Some items of a list, and the way to the next ones.
struct Page<Item: Encodable>: Encodable {
  let data: [Item]
  let nextCursor: String?

  private enum CodingKeys: String, CodingKey {
    case data
    case hasMore = "has_more"
    case nextCursor = "next_cursor"
  }

  /// - Parameter items: up to `limit` + 1 of them; the one too many says that there are more.
  init<Source>(
    _ items: [Source], limit: Int, list: Cursor.List, position: (Source) -> Position, item: (Source) -> Item
  ) {
    let page = items.prefix(limit)
    data = page.map(item)
    nextCursor = items.count > limit ? page.last.map { Cursor(list, position($0).description).text } : nil
  }

  init(_ data: [Item], nextCursor: String?) {
    self.data = data
    self.nextCursor = nextCursor
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(data, forKey: .data)
    try container.encode(nextCursor != nil, forKey: .hasMore)
    try container.encode(nextCursor, forKey: .nextCursor)
  }
}

/// Where a page ended. Positions of the log never change, so pages are stable whatever is added meanwhile.
///
/// Opaque to clients: base64url of the list's name and a place in it.
struct Cursor: Sendable, Hashable {
  enum List: String, Sendable {
    case shows, orders, lines, month, invoices
    case creditNotes = "credit-notes"
  }

  let list: List
  let place: String

  init(_ list: List, _ place: String) {
    self.list = list
    self.place = place
  }

  var text: String {
    Data("\(list.rawValue) \(place)".utf8).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  /// nil if the text is not a cursor of that list.
  init?(_ text: String, of list: List) {
    var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
    base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: base64), let decoded = String(data: data, encoding: .utf8) else {
      return nil
    }
    let parts = decoded.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == list.rawValue else { return nil }
    self.init(list, String(parts[1]))
  }
}
