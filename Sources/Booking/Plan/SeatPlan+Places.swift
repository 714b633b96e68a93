import Vocabulary

extension SeatPlan {
  /// A seat as it stands in the house, for charts and pictures.
  public struct Place: Sendable, Hashable {
    public let id: SeatID
    /// In hundredths, see ``Document``.
    public let point: Point
    public let category: CategoryID?
    public let kind: Kind
    public let isBlocked: Bool
  }

  /// The seats of a row, or the places of a section where people stand.
  public struct PlaceGroup: Sendable, Hashable {
    /// The row's id, or the section's.
    public let name: String
    public let isStanding: Bool
    public let places: [Place]
  }

  /// Every seat with its place in the house, by section and row. As much work as making the plan.
  public func placeGroups() -> [(section: Section, groups: [PlaceGroup])] {
    var layout = SeatLayout(document)
    layout.placeAll()
    var groups = sections.map { (section: $0, groups: [PlaceGroup]()) }
    for row in rows {
      let places = row.seats.map { index in
        let price = Int(priceOfSeat[index])
        return Place(
          id: seat(at: index), point: layout.points[index],
          category: price < document.categories.count ? document.categories[price].id : nil,
          kind: wheelchair.contains(index) ? .wheelchair : companion.contains(index) ? .companion : .ordinary,
          isBlocked: blocked.contains(index))
      }
      groups[row.section].groups.append(
        PlaceGroup(name: row.name, isStanding: row.isStanding, places: places))
    }
    return groups
  }
}
