import Foundation
import Subprocess

/// A PostgreSQL server with `fsync` off, which the embedded one cannot be made into.
struct CarelessServer: Sendable {
  private let folder: String

  var conninfo: String { "host=\(folder) user=aisle dbname=postgres" }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  static func start() async throws -> CarelessServer {
    let folder = "/tmp/aisle-careless-\(UUID().uuidString.prefix(8))"
    let result = try await run(
      """
      set -e
      bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
      mkdir -m 755 "$0"
      if [ "$(id -u)" = 0 ]; then chown postgres "$0"; as="runuser -u postgres --"; fi
      cd /
      $as "$bin/initdb" -D "$0/data" -A trust -U aisle --no-sync
      $as "$bin/pg_ctl" -w -D "$0/data" -l "$0/log" -o "-c fsync=off -c listen_addresses= -k $0" start
      """, folder)
    guard result.isSuccess else { throw Failure(description: "no server in \(folder): \(result)") }
    return CarelessServer(folder: folder)
  }

  func stop() async {
    _ = try? await Self.run(
      """
      bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
      if [ "$(id -u)" = 0 ]; then as="runuser -u postgres --"; fi
      cd /
      $as "$bin/pg_ctl" -w -m immediate -D "$0/data" stop
      rm -r "$0"
      """, folder)
  }

  private static func run(_ script: String, _ folder: String) async throws -> TerminationStatus {
    try await Subprocess.run(
      .path("/bin/sh"), arguments: ["-c", script, folder], input: .none, output: .discarded, error: .discarded
    ).terminationStatus
  }
}
