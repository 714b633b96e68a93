import Foundation
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("The poll thread", .timeLimit(.minutes(1)))
struct PollThreadTests {
  @Test("a deadline that is over ends its wait although another socket is ready all the time")
  func deadlineBesideReadySocket() async throws {
    let thread = try PollThread()
    defer { thread.stop() }
    let (busy, quiet) = (Pipe(), Pipe())
    try busy.fileHandleForWriting.write(contentsOf: Data([1]))
    let (busySocket, quietSocket) = (
      busy.fileHandleForReading.fileDescriptor, quiet.fileHandleForReading.fileDescriptor
    )
    let ended = Shared<PollThread.Readiness?>(nil)
    // Everything runs on the poll thread, so that the busy socket is waited for whenever the thread polls.
    let readiness = await Task(executorPreference: thread) {
      var rounds = 0
      while ended.value == nil && rounds < 10_000 {
        rounds += 1
        if rounds == 10 {
          Task(executorPreference: thread) {
            let readiness = await thread.readiness(of: quietSocket, for: .read, until: .now - .seconds(1))
            ended.update { $0 = readiness }
          }
        }
        _ = await thread.readiness(of: busySocket, for: .read, until: nil)
      }
      return ended.value
    }.value
    #expect(readiness == .deadlinePassed)
    withExtendedLifetime((busy, quiet)) {}
  }

  @Test("without a thread to be had there is no poll thread but an error")
  func noThread() async {
    await #expect(processExitsWith: .success) {
      // Less than the stack of a thread.
      let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).prefix { $0 != " " }
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      limit.rlim_cur = (rlim_t(pages) ?? 0) * rlim_t(getpagesize()) + 4 << 20
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let error = #expect(throws: PostgresError.self) { try PollThread() }
      #expect(error?.kind == .client)
    }
  }
}
