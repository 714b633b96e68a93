extension PostgresConnection {
  /// Usable by someone else: alive and not inside a transaction.
  var isReusable: Bool { isUsable && isIdle }

  /// Runs `body` in a transaction of this connection; see ``PostgresPool/transaction(_:)``.
  public nonisolated func transaction<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    try await query("begin")
    let value: T
    do {
      value = try await body()
    } catch {
      await rollBack()
      throw error
    }
    // The server answers a commit of a failed transaction with success and the tag ROLLBACK.
    let tag = try await query("commit").commandTag
    guard tag == "COMMIT" else {
      throw PostgresError(.server, "the transaction had failed and was rolled back", sqlState: "25P02")
    }
    return value
  }

  /// Also when the task has been cancelled: the connection must not stay inside the transaction.
  private nonisolated func rollBack() async {
    let finished = Task { try await self.executeScript("rollback") }
    if case .failure = await finished.result { await close() }
  }
}
