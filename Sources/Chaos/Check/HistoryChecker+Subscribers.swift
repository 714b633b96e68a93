extension HistoryChecker {
  /// A subscriber, or one partition of it, is handed a prefix of its part of the log, in order. Parts may come again
  /// (at least once), holes may not.
  mutating func checkSubscribers() {
    struct Part: Hashable {
      let subscriber: String
      let partition: Int?
    }
    var streams: [Part: Set<String>] = [:]
    for (_, _, delivery) in deliveries {
      let part = Part(subscriber: delivery.subscriber, partition: delivery.partition)
      streams[part, default: []].formUnion(delivery.events.map(\.stream))
    }
    checkOwners(
      Dictionary(grouping: streams.filter { $0.key.partition != nil }) { $0.key.subscriber }.mapValues {
        $0.map { ($0.key.partition ?? 0, $0.value) }
      })
    var inputs: [Part: [LoggedEvent]] = [:]
    var places: [Part: [Int64: Int]] = [:]
    for (part, own) in streams {
      // A subscription without partitions is handed everything.
      let input = part.partition == nil ? log.events : log.events.filter { own.contains($0.stream) }
      inputs[part] = input
      places[part] = Dictionary(input.enumerated().map { ($1.position, $0) }) { first, _ in first }
    }
    var reached: [Part: Int] = [:]
    for (at, process, delivery) in deliveries {
      let part = Part(subscriber: delivery.subscriber, partition: delivery.partition)
      var last: Int?
      for event in delivery.events {
        let time = "\(process) at \(seconds(at)) s was handed \(event.brief)"
        guard let place = places[part]?[event.position], inputs[part]?[place] == event else {
          report(
            .subscriber, "\(delivery.subscriber) was handed an event that is not in the log",
            [time, "the log has \(log.byPosition[event.position]?.brief ?? "nothing at \(event.position)")"])
          continue
        }
        let next = reached[part] ?? 0
        if place > next {
          let missed = inputs[part].map { $0[next..<place].map(\.brief) } ?? []
          report(
            .subscriber,
            "\(delivery.subscriber) went on to position \(event.position) without \(place - next) before it",
            [time] + missed.prefix(5))
        } else if let last, place != last + 1 {
          report(.subscriber, "\(delivery.subscriber) was handed a batch out of order", [time])
        }
        last = place
        reached[part] = max(next, place + 1)
      }
    }
    for (subscriber, position) in drained.sorted(by: { $0.key < $1.key }) {
      let seen = streams.keys.filter { $0.subscriber == subscriber }
        .reduce(0) {
          $0 + min(reached[$1] ?? 0, inputs[$1].map { $0.count { $0.position <= position } } ?? 0)
        }
      let due = log.events.count { $0.position <= position }
      if seen < due {
        report(.subscriber, "\(subscriber) was handed \(seen) of \(due) events up to position \(position)")
      }
    }
  }

  private mutating func checkOwners(_ parts: [String: [(partition: Int, streams: Set<String>)]]) {
    for (subscriber, partitions) in parts {
      var owners: [String: [Int]] = [:]
      for (partition, streams) in partitions {
        for stream in streams { owners[stream, default: []].append(partition) }
      }
      for (stream, owners) in owners.sorted(by: { $0.key < $1.key }) where owners.count > 1 {
        report(
          .subscriber,
          "\(stream) was handed to partitions \(owners.sorted().map(String.init).joined(separator: " and ")) of \(subscriber)"
        )
      }
    }
  }
}
