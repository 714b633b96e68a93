import Vocabulary

import struct Foundation.UUID

/// Which log a lake is a copy of. A lake accepts events of one tenant of one log only.
public struct LakeIdentity: Sendable, Hashable, CustomStringConvertible {
  public let tenant: TenantID
  /// The identity that the database gave its log when it was created.
  public let log: UUID

  public init(tenant: TenantID, log: UUID) {
    self.tenant = tenant
    self.log = log
  }

  /// Lower-case, as PostgreSQL prints it, so that people can compare the two by eye.
  var logText: String { log.uuidString.lowercased() }

  public var description: String { "tenant \(tenant.rawValue) of log \(logText)" }
}
