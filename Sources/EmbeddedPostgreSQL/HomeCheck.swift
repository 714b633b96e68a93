import Foundation

extension PostgresCluster {
  /// The version of libpq, which every connection goes through, as in 150018 for 15.18.
  public static var clientVersion: Int { MaintenanceConnection.clientVersion }

  /// Why a start under `home` would fail because of the directory itself, or nil. Makes nothing: of a
  /// home that does not exist yet, the nearest directory above it is looked at.
  public static func problem(withHome home: URL) async -> PostgresClusterError? {
    await onDedicatedThread { () -> PostgresClusterError? in
      do throws(PostgresClusterError) {
        try ClusterHome(nearest: home).check()
        return nil
      } catch {
        return error
      }
    }
  }
}

extension ClusterHome {
  /// The home, or the nearest directory above it that exists.
  fileprivate init(nearest url: URL) throws(PostgresClusterError) {
    var url = url.standardizedFileURL
    while url.path != "/", FileFacts(path: url.path) == nil { url.deleteLastPathComponent() }
    guard let found = ClusterHome(existing: url) else {
      throw .homeUnusable(path: url.path, reason: errnoText())
    }
    self = found
  }

  fileprivate func check() throws(PostgresClusterError) {
    try checkWritable()
    try checkEnterable(by: ServerAccount.forData(at: data))
  }
}
