import ArgumentParser
import Booking
import Foundation
import RESTAPI
import Vocabulary

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Look at a seat plan before it goes on sale.",
    discussion: """
      A file holds a plan, or a whole show as it is sent to POST /v1/shows:

        {"categories": [{"id": "gold", "name": "Gold", "price": 4500}],
         "focal_point": {"x": 0, "y": 0},
         "sections": [{"id": "stalls", "category": "gold",
                       "rows": [{"id": "A", "seats": 12, "aisles_after": [6]}]}]}

      docs/rest.md explains every key. Nothing here needs a database.
      """,
    subcommands: [Check.self, SVG.self])

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Name every mistake in a plan, and what is odd about it.",
      discussion: """
        Each line begins with the place in the document as a JSON Pointer. Exits with status 1 if the plan has \
        mistakes; warnings do not count.
        """)

    @Argument(help: "The plan, a JSON file.")
    var file: String

    @Flag(help: "Print one JSON object: valid, seats, blocked, sections, issues, omitted.")
    var json = false

    func run() async throws {
      let check = PlanCheck(json: try PlanFile.read(file))
      print(json ? try JSONText.document(check) : text(check))
      if !check.isValid { throw ExitCode.failure }
    }

    private func text(_ check: PlanCheck) -> String {
      var lines = check.issues.map { "\(file)#\($0.place): \($0.severity.rawValue): \($0.message)" }
      if check.omitted > 0 { lines.append("\(file): and \(check.omitted) more") }
      if let seats = check.seats, let blocked = check.blocked, let sections = check.sections {
        lines.append(
          "\(file): fine, \(seats) seats in \(sections) sections"
            + (blocked > 0 ? ", \(blocked) of them not for sale" : ""))
      }
      return lines.joined(separator: "\n")
    }
  }

  struct SVG: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "svg",
      abstract: "Draw a plan.",
      discussion:
        "Writes SVG to standard output: aisle plan svg plan.json > plan.svg. A plan with mistakes is not drawn."
    )

    @Argument(help: "The plan, a JSON file.")
    var file: String

    @Option(help: "What prices are in, such as EUR.")
    var currency: String?

    func validate() throws {
      if let currency, Currency(currency) == nil {
        throw ValidationError("--currency must be an ISO 4217 currency such as EUR, not \(currency)")
      }
    }

    func run() async throws {
      let check = PlanCheck(json: try PlanFile.read(file))
      guard let plan = check.plan else {
        throw CommandFailure(
          "\(file) has \(check.issues.count) mistakes and cannot be drawn; see them with: aisle plan check \(file)"
        )
      }
      let name = URL(filePath: file).lastPathComponent
      print(PlanPicture(plan, title: name, currency: currency.flatMap(Currency.init)).svg, terminator: "")
    }
  }
}

private enum PlanFile {
  /// A plan of 100,000 seats in its longest form has some 10 MB.
  static let maximumBytes = 32 << 20

  static func read(_ path: String) throws -> [UInt8] {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("\(path) cannot be read; is it the path of a file?")
    }
    defer { try? handle.close() }
    let data = try handle.read(upToCount: maximumBytes + 1) ?? Data()
    guard data.count <= maximumBytes else {
      throw CommandFailure("\(path) is larger than \(maximumBytes) bytes, the most that is read")
    }
    return Array(data)
  }
}
