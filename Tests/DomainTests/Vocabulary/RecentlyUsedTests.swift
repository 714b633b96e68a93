import Testing
import Vocabulary

@Suite("What was used recently")
struct RecentlyUsedTests {
  @Test("it is a list with the latest at its end, in every order of changes, looks and removals")
  func model() {
    var random = SeededRandom(for: "recently used against a list")
    var kept = RecentlyUsed<Int, Int>(capacity: 5)
    var model: [(key: Int, value: Int)] = []
    for step in 0..<20_000 {
      let key = Int.random(in: 0..<9, using: &random)
      let known = model.first { $0.key == key }?.value
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        kept.remove(key)
        model.removeAll { $0.key == key }
      case 1:
        #expect(kept.value(of: key) == known)
        guard let known else { continue }
        model.removeAll { $0.key == key }
        model.append((key, known))
      default:
        let before = kept.update(key, default: -1) { value in
          defer { value = step }
          return value
        }
        #expect(before == known ?? -1)
        model.removeAll { $0.key == key }
        model.append((key, step))
        if model.count > 5 { model.removeFirst() }
      }
      #expect(kept.count == model.count)
    }
  }
}
