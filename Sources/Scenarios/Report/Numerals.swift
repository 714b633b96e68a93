/// Numbers for people, the same in every locale.
enum Numerals {
  /// `20123` is `20,123`.
  static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var grouped = ""
    for (offset, digit) in digits.enumerated() {
      if offset > 0, (digits.count - offset) % 3 == 0 { grouped.append(",") }
      grouped.append(digit)
    }
    return (number < 0 ? "-" : "") + grouped
  }

  /// Three significant digits and a unit: `840 µs`, `3.21 ms`, `1.50 s`, `2 min 5 s`.
  static func duration(microseconds: Int64) -> String {
    let value = max(0, microseconds)
    switch value {
    case ..<1_000: return "\(value) µs"
    case ..<999_500: return scaled(value, unit: 1_000) + " ms"
    case ..<60_000_000: return scaled(value, unit: 1_000_000) + " s"
    default:
      let seconds = (value + 500_000) / 1_000_000
      return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds / 60) min \(seconds % 60) s"
    }
  }

  /// `value / unit` with three significant digits, rounded half up.
  private static func scaled(_ value: Int64, unit: Int64) -> String {
    for (limit, decimals, divisor) in [(10, 2, 100), (100, 1, 10)] as [(Int64, Int, Int64)] {
      let rounded = (value * divisor + unit / 2) / unit
      if rounded < limit * divisor {
        let fraction = String(rounded % divisor + divisor).dropFirst()
        return "\(rounded / divisor).\(fraction.prefix(decimals))"
      }
    }
    return String((value + unit / 2) / unit)
  }

  /// With at most one decimal: `99.5 %`.
  static func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "0 %" }
    let permille = (part * 1_000 + whole / 2) / whole
    return permille % 10 == 0 ? "\(permille / 10) %" : "\(permille / 10).\(permille % 10) %"
  }
}
