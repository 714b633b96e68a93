import Foundation

/// Where a value lies on a chart's width, in percent, and which values get a tick.
///
/// Charts are drawn in SVG that stretches to any width, with labels as HTML at percentages: so text keeps its size
/// on a phone.
struct ChartAxis {
  enum Scale { case linear, logarithmic }

  let scale: Scale
  let from: Double
  let to: Double

  /// `from < to`; a logarithmic axis starts above zero.
  init(_ scale: Scale, from: Int64, to: Int64) {
    self.scale = scale
    let start = scale == .logarithmic ? max(1, from) : from
    self.from = Double(start)
    self.to = Double(max(to, start + 1))
  }

  /// 0 to 1.
  func position(_ value: Int64) -> Double {
    let value = Double(value)
    let share =
      switch scale {
      case .linear: (value - from) / (to - from)
      case .logarithmic: (log10(max(value, 1)) - log10(from)) / (log10(to) - log10(from))
      }
    return min(1, max(0, share))
  }

  func percent(_ value: Int64) -> String { Self.decimal(position(value) * 100) + "%" }

  /// Round values, at most nine on a linear axis, and at least three on a logarithmic one if that is wide enough.
  var ticks: [Int64] {
    switch scale {
    case .linear:
      let rough = (to - from) / 8
      let power = pow(10, floor(log10(max(rough, 1))))
      let step = max(1, ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power)
      var tick = (from / step).rounded(.up) * step
      var ticks: [Int64] = []
      while tick <= to {
        ticks.append(Int64(tick))
        tick += step
      }
      return ticks
    case .logarithmic:
      func multiples(_ factors: [Int64]) -> [Int64] {
        var ticks: [Int64] = []
        var power: Int64 = 1
        while Double(power) <= to, power < 1_000_000_000_000 {
          ticks += factors.map { $0 * power }.filter { Double($0) >= from && Double($0) <= to }
          power *= 10
        }
        return ticks
      }
      // Over more than two decades only the powers of ten have room; within half a decade, every digit.
      let every: [Int64] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
      let choices: [[Int64]] = to / from > 100 ? [[1], [1, 2, 5], every] : [[1, 2, 5], every]
      return choices.map(multiples).first { $0.count >= 3 } ?? multiples(every)
    }
  }

  /// The ticks as HTML under a chart.
  var labels: HTML {
    let marks = ticks.map { tick in
      let share = position(tick)
      let edge = share < 0.03 ? " first" : share > 0.97 ? " last" : ""
      return "<span class=\"tick\(edge)\" style=\"left:\(percent(tick))\">\(Self.tickLabel(tick))</span>"
        as HTML
    }
    return "<div class=\"axis\" aria-hidden=\"true\">\(marks)</div>"
  }

  /// The ticks as lines in an SVG that is 1000 wide.
  func grid(height: Double) -> HTML {
    let lines = ticks.map { tick in
      let x = Self.decimal(position(tick) * 1000)
      return "<path class=\"grid\" d=\"M\(x) 0V\(Self.decimal(height))\"/>" as HTML
    }
    return "\(lines)"
  }

  static func tickLabel(_ microseconds: Int64) -> String {
    func text(_ value: Int64, _ unit: Int64, _ name: String) -> String {
      let tenths = value * 10 / unit
      return (tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + " " + name
    }
    switch microseconds {
    case 0: return "0"
    case ..<1_000: return "\(microseconds) µs"
    case ..<1_000_000: return text(microseconds, 1_000, "ms")
    default: return text(microseconds, 1_000_000, "s")
    }
  }

  /// At most two decimals and never an exponent.
  static func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let fraction = String(abs(hundredths % 100) + 100).dropFirst()
    let sign = hundredths < 0 && hundredths > -100 ? "-" : ""
    return hundredths % 100 == 0 ? "\(hundredths / 100)" : "\(sign)\(hundredths / 100).\(fraction)"
  }
}
