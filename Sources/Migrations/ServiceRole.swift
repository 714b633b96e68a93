import PostgreSQL

/// The login role that services use on a server that this program manages itself. It belongs to the group
/// `aisle_service`, which `migrations/0007_roles.sql` makes: it can read and append, and cannot change the log.
public enum ServiceRole {
  /// Of the embedded server.
  public static let embedded = "aisle_services"

  /// The group, with the rights.
  public static let group = "aisle_service"

  /// Makes a login role if there is none, and lets it work for a tenant. Doing it again changes nothing.
  ///
  /// - Parameter pool: of the schema's owner, who may make roles.
  public static func admit(_ role: String, to tenant: Int32, _ pool: PostgresPool) async throws {
    try await pool.withConnection { connection in
      let rows = try await connection.query(
        """
        select format('create role %I login in role %I', \(role)::text, \(group)::text),
               exists (select from pg_roles where rolname = \(role)),
               exists (select from aisle.tenant_roles where tenant = \(tenant) and role = \(role))
        """)
      guard let row = rows.first else { return }
      let (statement, exists, isListed) = try row.decode(String.self, Bool.self, Bool.self)
      if !exists {
        do {
          try await connection.executeScript(statement)
        } catch let error as PostgresError
          where error.sqlState == .duplicateObject || error.sqlState == .uniqueViolation
        {
          // Another process was faster.
        }
      }
      if !isListed {
        try await connection.execute(
          """
          insert into aisle.tenant_roles (tenant, role) values (\(tenant), \(role))
          on conflict (tenant, role) do nothing
          """)
      }
    }
  }
}

extension PostgresConfiguration {
  /// For services of one tenant: every session says which.
  public func working(for tenant: Int32) -> PostgresConfiguration {
    var configuration = self
    configuration.sessionSettings["aisle.tenant"] = "\(tenant)"
    return configuration
  }
}
