/// The distribution of one operation's latency, on a logarithmic axis, with its percentiles marked.
struct LatencyChart {
  let summary: LatencySummary

  private static let height = 150.0

  var html: HTML {
    let first = summary.buckets.first?.from ?? 1
    let last = summary.buckets.last.map { $0.to == .max ? $0.from * 2 : $0.to } ?? 10
    // At least half a decade, so that a narrow distribution does not fill the picture with one bar.
    let axis = ChartAxis(.logarithmic, from: first * 4 / 5, to: max(last * 5 / 4, first * 3))
    return """
      <figure class="chart latency">
        <figcaption><strong>\(Self.name(summary.operation))</strong> <span>\(Self.explanation(summary.operation))\
       · \(Numerals.grouped(summary.count)) measured</span></figcaption>
        <div class="plot">
          \(markers(axis))
          <svg viewBox="0 0 1000 \(Int(Self.height))" preserveAspectRatio="none" role="img"
            style="height:\(Int(Self.height))px" aria-label="\(description)">\(axis.grid(height: Self.height))\(bars(axis))</svg>
        </div>
        \(axis.labels)
      </figure>
      """
  }

  private func bars(_ axis: ChartAxis) -> HTML {
    let highest = Double(summary.buckets.map(\.count).max() ?? 1)
    let bars = summary.buckets.filter { $0.count > 0 }.map { bucket in
      let to = bucket.to == .max ? bucket.from * 2 : bucket.to
      let left = axis.position(bucket.from) * 1000
      let right = axis.position(to) * 1000
      // Square root, so that the few slow ones, which matter most, can be seen beside the many.
      let height = max(2, (Double(bucket.count) / highest).squareRoot() * (Self.height - 6))
      let title =
        "\(ChartAxis.tickLabel(bucket.from)) to \(ChartAxis.tickLabel(to)): \(Numerals.grouped(bucket.count))"
      return """
        <rect class="bar\(bucket.from >= summary.p99 ? " slow" : "")" x="\(ChartAxis.decimal(left + 0.8))" \
        y="\(ChartAxis.decimal(Self.height - height))" width="\(ChartAxis.decimal(max(1.5, right - left - 1.6)))" \
        height="\(ChartAxis.decimal(height))"><title>\(title)</title></rect>
        """ as HTML
    }
    return "\(bars)"
  }

  /// Each percentile in a line of its own, so that labels never cover each other.
  private func markers(_ axis: ChartAxis) -> HTML {
    let marks = [("p50", summary.p50), ("p90", summary.p90), ("p99", summary.p99), ("max", summary.max)]
    let html = marks.enumerated().map { row, mark in
      let side = axis.position(mark.1) > 0.75 ? " left" : ""
      return """
        <span class="marker m\(row)\(side)" style="left:\(axis.percent(mark.1))"><b>\(mark.0) \
        \(Numerals.duration(microseconds: mark.1))</b></span>
        """ as HTML
    }
    return "<div class=\"markers\" aria-hidden=\"true\">\(html)</div>"
  }

  private var description: String {
    let values = [summary.p50, summary.p90, summary.p99, summary.max].map(Numerals.duration(microseconds:))
    return "\(Self.name(summary.operation)): half within \(values[0]), 90 % within \(values[1]), "
      + "99 % within \(values[2]), slowest \(values[3])."
  }

  static func name(_ operation: RunRecorder.Operation) -> String {
    switch operation {
    case .attempt: "Whole attempt"
    case .hold: "Hold"
    case .order: "Order"
    case .cancel: "Cancel"
    case .ask: "Ask"
    case .join: "Join the line"
    case .seeOffer: "See the offer"
    case .giveBack: "Give back"
    case .transfer: "Transfer"
    case .poll: "Poll"
    case .door: "Ask at the door"
    case .findOpenSeats: "Find open seats"
    case .newReservation: "New reservation"
    case .updateReservation: "Update reservation"
    case .updateCustomer: "Update customer"
    case .findFlights: "Find flights"
    case .deleteReservation: "Delete reservation"
    case .interleaving: "Interleaving"
    }
  }

  static func explanation(_ operation: RunRecorder.Operation) -> String {
    switch operation {
    case .attempt: "from a buyer’s first request to their last answer"
    case .hold: "asking for seats"
    case .order: "ordering and paying for what is held"
    case .cancel: "giving seats back"
    case .ask: "asking what became of an order"
    case .join: "joining the waiting list"
    case .seeOffer: "looking whether seats are offered"
    case .giveBack: "asking for a quote and taking it up"
    case .transfer: "giving the ticket to somebody else"
    case .poll: "looking at the seats over HTTP"
    case .door: "taking a place in the waiting room, or asking whether one is let in"
    case .findOpenSeats: "which seats of a flight are free"
    case .newReservation: "holding and ordering a seat"
    case .updateReservation: "holding and ordering another seat, giving the first one back"
    case .updateCustomer: "putting the ticket into another name"
    case .findFlights: "a page of the list of flights"
    case .deleteReservation: "giving the seat back"
    case .interleaving: "one order of events around a payment"
    }
  }
}

/// All percentiles of all operations as a table.
struct LatencyTable {
  let summaries: [LatencySummary]

  var html: HTML {
    let rows = summaries.map { summary in
      let cells = [summary.p50, summary.p90, summary.p99, summary.p999, summary.max].map {
        "<td>\(Numerals.duration(microseconds: $0))</td>" as HTML
      }
      return """
        <tr><th scope="row">\(LatencyChart.name(summary.operation))</th>\
        <td>\(Numerals.grouped(summary.count))</td>\(cells)</tr>
        """ as HTML
    }
    return """
      <div class="scroll"><table class="numbers">
        <thead><tr><th scope="col">operation</th><th scope="col">count</th><th scope="col">p50</th>\
      <th scope="col">p90</th><th scope="col">p99</th><th scope="col">p99.9</th><th scope="col">max</th></tr></thead>
        <tbody>\(rows)</tbody>
      </table></div>
      """
  }
}
