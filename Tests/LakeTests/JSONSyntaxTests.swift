import Foundation
import Testing

@testable import Lake

@Suite("the JSON check")
struct JSONSyntaxTests {
  static func isObject(_ text: [UInt8]) -> Bool {
    text.withUnsafeBytes { bytes in
      do {
        try JSONSyntax.checkObject(bytes)
        return true
      } catch {
        return false
      }
    }
  }

  @Test(
    "accepts every kind of value",
    arguments: [
      "{}", "{ }", #"{"a":1}"#, #"{"a":[]}"#, #"{"a":[1,2,{"b":null}],"c":true,"d":false}"#,
      #"{"a":-0.5e-10,"b":"\u00e9\n\"\\\/"}"#, #"{"":""}"#, "{\"a\" : [ 1 ,\n2 ]}", #"{"a":[[[[]]]]}"#,
    ])
  func accepts(text: String) { #expect(Self.isObject(Array(text.utf8))) }

  @Test(
    "refuses everything else",
    arguments: [
      "", " {}", "{} ", "[]", "null", "{", "}", "{]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,}"#,
      #"{"a":01}"#,
      #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":tru}"#, #"{"a":"\x"}"#,
      #"{"a":"\u12g4"}"#,
      "{\"a\":\"\u{1}\"}", #"{"a":"b}"#, #"{"a":1}{}"#, #"{"a":1}}"#, #"{"a":[1}"#, #"{"a":[1,]}"#,
      #"{"a" 1}"#,
      #"{1:2}"#, #"{"a":1 "b":2}"#, #"{'a':1}"#, #"{"a":NaN}"#, #"{"a":"\"#,
    ])
  func refuses(text: String) { #expect(!Self.isObject(Array(text.utf8))) }

  @Test("agrees with Python on randomly damaged documents")
  func agrees() throws {
    let seed = UInt64(50)
    var generator = SeededGenerator(seed: seed)
    let document = Array(#"{"a":[1,-2.5e+3,"x\u00e9\n",{}],"b":{"c":null,"d":[true,false]},"e":""}"#.utf8)
    let alphabet = Array(#"{}[]",:0123456789.-+eEtrufalsn\ "#.utf8)
    var texts: [[UInt8]] = []
    for _ in 0..<20_000 {
      var text = document
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let index = Int.random(in: 0..<text.count, using: &generator)
        let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: text[index] = byte
        case 1: text.insert(byte, at: index)
        default: text.remove(at: index)
        }
      }
      texts.append(text)
    }
    let verdicts = try Python.run(
      """
      import json, sys
      def verdict(line):
          # Python allows white space around the object, and we do not.
          try: return type(json.loads(line)) is dict and line == line.strip()
          except ValueError: return False
      print("".join("1" if verdict(line[:-1]) else "0" for line in sys.stdin), end="")
      """, input: texts.flatMap { $0 + [.newline] })
    #expect(verdicts.count == texts.count)
    for (text, verdict) in zip(texts, verdicts) {
      let expected = verdict == UInt8(ascii: "1")
      #expect(Self.isObject(text) == expected, "seed \(seed): \(String(decoding: text, as: UTF8.self))")
    }
    #expect(verdicts.count { $0 == UInt8(ascii: "1") } > 1000)
  }
}
