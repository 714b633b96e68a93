extension PostgresConnection {
  /// Usable by someone else: alive and not inside a transaction.
  var isReusable: Bool { isUsable && isIdle }

  /// Runs `body` in a transaction of this connection; see ``PostgresPool/transaction(_:)``.
  public nonisolated func transaction<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    try await begin()
    let value: T
    do {
      value = try await body()
    } catch {
      await rollBack()
      throw error
    }
    let tag: String
    do {
      tag = try await query("commit").commandTag
    } catch {
      // Cancelled before the commit was sent.
      if await isInTransaction { await rollBack() }
      throw error
    }
    // The server answers a commit of a failed transaction with success and the tag ROLLBACK.
    guard tag == "COMMIT" else {
      throw PostgresError(.server, "the transaction had failed and was rolled back", sqlState: "25P02")
    }
    return value
  }

  /// A second `begin` would only warn, and the first `commit` would then commit half of the outer transaction.
  private func begin() async throws {
    if isInTransaction {
      throw PostgresError(.client, "a transaction is already open on this connection; it cannot be nested")
    }
    try await query("begin")
  }

  /// Also when the task has been cancelled: the connection must not stay inside the transaction. Closing it has the
  /// same effect, so a server that does not answer is not waited for.
  private nonisolated func rollBack() async {
    let finished = Task { try await self.executeScript("rollback", timeout: .seconds(5)) }
    if case .failure = await finished.result { await close() }
  }
}
