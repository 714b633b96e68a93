import Foundation
import Subprocess
import SystemPackage

/// The `aisle` executable that was built with these tests.
struct AisleProgram: Sendable {
  /// `AISLE_…` variables; nothing else of the environment but `PATH` and `TMPDIR` is passed on.
  let environment: [String: String]

  struct Result: Sendable {
    let status: Int32
    let output: String
    let errors: String
  }

  struct NotBuilt: Error, CustomStringConvertible {
    let path: String
    var description: String { "\(path) is missing; build it with: swift build --build-tests" }
  }

  /// On an embedded server of its own.
  init(home: URL) { environment = ["AISLE_HOME": home.path] }

  /// On a database that runs already.
  init(database conninfo: String) { environment = ["AISLE_DATABASE_URL": conninfo] }

  init() { environment = [:] }

  init(environment: [String: String]) { self.environment = environment }

  /// Beside the test bundle.
  static func path() throws -> FilePath {
    let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "aisle")
    for candidate in [beside, folder.deletingLastPathComponent().appending(path: "aisle")]
    where FileManager.default.isExecutableFile(atPath: candidate.path) {
      return FilePath(candidate.path)
    }
    throw NotBuilt(path: beside.path)
  }

  var variables: Environment {
    let passedOn = ["PATH", "TMPDIR", "HOME"].compactMap { name in
      ProcessInfo.processInfo.environment[name].map { (name, $0) }
    }
    var variables: [Environment.Key: String] = [:]
    for (name, value) in passedOn + environment.map({ ($0.key, $0.value) }) {
      variables[Environment.Key(stringLiteral: name)] = value
    }
    return .custom(variables)
  }

  func run(_ arguments: String...) async throws -> Result { try await run(arguments: arguments) }

  func run(arguments: [String]) async throws -> Result {
    let result = try await Subprocess.run(
      .path(try Self.path()), arguments: Arguments(arguments), environment: variables, input: .none,
      output: .string(limit: 1 << 22), error: .string(limit: 1 << 22))
    guard case .exited(let status) = result.terminationStatus else {
      return Result(status: -1, output: result.standardOutput, errors: result.standardError)
    }
    return Result(status: Int32(status), output: result.standardOutput, errors: result.standardError)
  }
}
