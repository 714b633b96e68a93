import Foundation

/// Text in a header that has more than ASCII (RFC 2047).
enum EncodedWord {
  /// Most bytes of text in one word, so that in base64 and with its frame it has less than the 75 characters allowed.
  private static let maximumBytes = 42

  /// The text as the value of a header: as it is, or as encoded words on lines of their own.
  static func header(_ text: String) -> String {
    let text = MailMessage.line(text)
    // A line has at most 998 bytes, and better 78; a subject that is longer is folded as encoded words.
    if text.utf8.count <= 66, text.utf8.allSatisfy({ $0 < 0x80 }), !text.contains("=?") { return text }
    var words: [String] = []
    var word = ""
    for character in text {
      if word.utf8.count + character.utf8.count > maximumBytes, !word.isEmpty {
        words.append(word)
        word = ""
      }
      // A character of more bytes than a word holds (a family of emoji) is divided between scalars.
      for scalar in character.unicodeScalars {
        if word.utf8.count + 4 > maximumBytes {
          words.append(word)
          word = ""
        }
        word.unicodeScalars.append(scalar)
      }
    }
    words.append(word)
    return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
  }
}
