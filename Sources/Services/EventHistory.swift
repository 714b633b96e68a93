import EventStore

/// How the shapes of the services' events have changed since the first release.
public enum EventHistory {
  /// Nothing has changed yet. The first change of a payload puts its upcaster here and raises the type's
  /// `schemaVersion(of:)`; SQL that reads payloads itself (`aisle.bill_lines`, the judge of scenarios) has to know
  /// both shapes from then on.
  public static let upcasters = Upcasters.none
}
