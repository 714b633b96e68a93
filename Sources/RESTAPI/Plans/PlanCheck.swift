import Booking
import Foundation

/// A seat plan from a file or a request, examined: everything that is wrong with it, with its place, and what should be
/// looked at.
public struct PlanCheck: Sendable, Encodable {
  /// Whether it can be put on sale.
  public let isValid: Bool
  public let issues: [SeatPlan.Issue]
  /// Issues that were found but not listed.
  public let omitted: Int
  /// Left out if the plan is not valid.
  public let seats: Int?
  public let blocked: Int?
  public let sections: Int?
  public let plan: SeatPlan?

  private enum CodingKeys: String, CodingKey {
    case isValid = "valid"
    case issues, omitted, seats, blocked, sections
  }

  /// - Parameter json: a plan, or a show with its plan.
  public init(json: [UInt8]) {
    do throws(JSONSyntaxError) {
      self.init(JSONNode(try JSONParser.parse(json), faults: Faults(limit: SeatPlan.Report.maximumIssues)))
    } catch {
      self.init(
        [SeatPlan.Issue(severity: .error, place: "", message: "The file is not a JSON document: \(error)")])
    }
  }

  init(_ node: JSONNode) {
    node.requireObject()
    let document = PlanReader(currency: node["currency"].isPresent ? node["currency"].currency() : nil)
      .plan(node)
    guard let document, node.faults.all.isEmpty else {
      self.init(node.faults.all.map(SeatPlan.Issue.init))
      return
    }
    let report = SeatPlan.examine(document)
    self.init(report.issues, omitted: report.omitted, plan: try? SeatPlan(document))
  }

  private init(_ issues: [SeatPlan.Issue], omitted: Int = 0, plan: SeatPlan? = nil) {
    isValid = plan != nil
    self.issues = issues
    self.omitted = omitted
    self.plan = plan
    seats = plan?.totalSeats
    blocked = plan?.blockedSeats
    sections = plan?.sections.count
  }
}

extension SeatPlan.Issue {
  fileprivate init(_ fault: Fault) {
    let place = if case .pointer(let pointer) = fault.place { pointer } else { "" }
    self.init(severity: .error, place: place, message: fault.message)
  }
}
