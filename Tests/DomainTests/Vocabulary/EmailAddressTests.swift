import Testing
import Vocabulary

@Suite("E-mail addresses")
struct EmailAddressTests {
  @Test(
    "what mail servers deliver to is an address",
    arguments: ["ann@example.org", "a@b.cd", "ann.o'hara+shows@mail-1.example.co.uk", "ANN_1@EXAMPLE.ORG"])
  func valid(text: String) {
    #expect(EmailAddress(text)?.rawValue == text)
  }

  @Test(
    "what could not be delivered to, or could become part of a header, is none",
    arguments: [
      "", "ann", "@example.org", "ann@", "ann@example", "ann@@example.org", "a b@example.org",
      "ann@exam ple.org",
      "ann@example.org\r\nBcc: eve@example.org", "<ann@example.org>", "ann,eve@example.org",
      ".ann@example.org",
      "ann..o@example.org", "ann@-example.org", "ann@example..org", "änn@example.org", "\"a\"@example.org",
      "ann@[127.0.0.1]", "[forgotten]",
      String(repeating: "a", count: 65) + "@example.org",
      "a@" + String(repeating: "a.", count: 130) + "org",
    ])
  func invalid(text: String) {
    #expect(EmailAddress(text) == nil)
  }
}
