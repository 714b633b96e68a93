import Foundation

/// A program that we started, in a session of its own.
///
/// Foundation's `Process` is not used, because the server must outlive us, be handed a lock, not
/// inherit our sockets, and not get the Ctrl-C that the terminal sends to our process group.
struct ChildProcess {
  enum Ending: Equatable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case killed(signal: Int32)

    init(waitStatus: Int32) {
      let signal = waitStatus & 0x7f
      self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .killed(signal: signal)
    }

    var description: String {
      switch self {
      case .exited(let code): "it exited with code \(code)"
      case .killed(let signal): "it was killed by signal \(signal)"
      }
    }
  }

  let processID: pid_t

  /// Starts `command` with empty input.
  /// - Parameters:
  ///   - output: gets both standard output and standard error. A file, not a pipe: a pipe would fill
  ///     up, or stay open for as long as the server lives.
  ///   - lock: becomes descriptor 3 of the program, which then holds the lock together with us.
  static func spawn(
    _ command: [String], environment: [String: String] = [:], output: Int32, lock: FileLock? = nil
  ) throws(SpawnError) -> ChildProcess {
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard null >= 0 else { throw SpawnError(code: errno) }
    defer { close(null) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, null, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    if let lock { posix_spawn_file_actions_adddup2(&actions, lock.descriptor, 3) }
    for descriptor in inheritableDescriptors() where descriptor > (lock == nil ? 2 : 3) {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // POSIX_SPAWN_SETSID is hidden from Swift behind _GNU_SOURCE; its value is part of Linux's ABI.
    let newSession: Int32 = 0x80
    let flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK) | newSession
    posix_spawnattr_setflags(&attributes, Int16(flags))
    // Signals that we ignore or block would otherwise stay so in the program.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD] {
      sigaddset(&signals, signal)
    }
    posix_spawnattr_setsigdefault(&attributes, &signals)

    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      cleanEnvironment.merging(environment) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
    defer { for string in arguments + variables { free(string) } }

    var processID: pid_t = 0
    let status = posix_spawnp(&processID, command[0], &actions, &attributes, &arguments, &variables)
    guard status == 0 else { throw SpawnError(code: status) }
    return ChildProcess(processID: processID)
  }

  /// How it ended, or nil while it runs. After an answer it must not be asked again.
  func ending() -> Ending? {
    var status: Int32 = 0
    return waitpid(processID, &status, WNOHANG) == processID ? Ending(waitStatus: status) : nil
  }

  /// Blocks the calling thread until it ends.
  func waitForEnding() -> Ending {
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
    return Ending(waitStatus: status)
  }

  /// Ends the program and everything in its session's process group at once.
  func killGroup() {
    kill(-processID, SIGKILL)
  }

  /// The PG… and locale variables of the caller must not decide how the cluster is made or runs.
  private static let cleanEnvironment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC",
  ]

  /// Our descriptors that a started program would get, such as a listening socket: a server that
  /// outlives us would keep the port busy.
  private static func inheritableDescriptors() -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap(Int32.init).filter { fcntl($0, F_GETFD) & FD_CLOEXEC == 0 }
  }
}

/// A program could not be started.
struct SpawnError: Error {
  let code: Int32
  var description: String { errnoText(code) }
}
