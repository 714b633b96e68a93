import Foundation
import Synchronization

/// A worker process as the run sees it: one place with a proxy of its own, in which one process follows another.
final class WorkerHandle: Sendable {
  struct Launch: Sendable {
    let executable: String
    let conninfo: String
    let historyFolder: String
    let workload: Workload
  }

  private struct Life {
    var process: Process?
    var input: FileHandle?
    var number = 0
    var isReady = false
    var isDrained = false
    var isOver = true
    var status: Int32?
  }

  let number: Int
  private let launch: Launch
  private let life = Mutex(Life())
  private let files = Mutex<[String]>([])

  init(number: Int, launch: Launch) {
    self.number = number
    self.launch = launch
  }

  /// The histories of all of its lives.
  var histories: [String] { files.withLock { $0 } }
  var name: String { "w\(number).\(life.withLock { $0.number })" }

  /// Starts the next life.
  func start() throws {
    let lifeNumber = life.withLock { life in
      life.number += 1
      (life.isReady, life.isDrained, life.isOver, life.status) = (false, false, false, nil)
      return life.number
    }
    let name = "w\(number).\(lifeNumber)"
    let history = "\(launch.historyFolder)/\(name).jsonl"
    files.withLock { $0.append(history) }
    let workload = String(decoding: try JSONEncoder().encode(launch.workload), as: UTF8.self)
    let process = Process()
    process.executableURL = URL(filePath: launch.executable)
    process.arguments = ["chaos", "worker", "--name", name, "--history", history, "--workload", workload]
    process.environment = ProcessInfo.processInfo.environment.merging(["AISLE_DATABASE_URL": launch.conninfo])
    { $1 }
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    // What is wrong with it is said at the end of the round, from its answers; its warnings are expected.
    process.standardError = FileHandle.nullDevice
    output.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let text = String(decoding: handle.availableData, as: UTF8.self)
      if text.isEmpty { handle.readabilityHandler = nil }
      self?.heard(text, from: lifeNumber)
    }
    process.terminationHandler = { [weak self] process in
      self?.life.withLock { life in
        guard life.number == lifeNumber else { return }
        life.isOver = true
        life.status = process.terminationStatus
      }
    }
    try process.run()
    life.withLock { life in
      life.process = process
      life.input = input.fileHandleForWriting
    }
  }

  private func heard(_ text: String, from lifeNumber: Int) {
    life.withLock { life in
      guard life.number == lifeNumber else { return }
      for word in text.split(separator: "\n") {
        if word == "ready" { life.isReady = true }
        if word == "drained" { life.isDrained = true }
      }
    }
  }

  var isReady: Bool { life.withLock { $0.isReady } }
  var isDrained: Bool { life.withLock { $0.isDrained } }
  var isOver: Bool { life.withLock { $0.isOver } }
  /// Of the last life, when it is over.
  var status: Int32? { life.withLock { $0.status } }

  func signal(_ signal: Int32) {
    life.withLock { life in
      // A process that has ended and was collected has given its number back.
      if let process = life.process, process.isRunning { kill(process.processIdentifier, signal) }
    }
  }

  func drain() {
    let input = life.withLock { $0.input }
    // A worker that has just died does not read it, and its successor is told anew.
    try? input?.write(contentsOf: Data("drain\n".utf8))
  }

  /// Lets the process end.
  func close() {
    let input = life.withLock { life in
      defer { life.input = nil }
      return life.input
    }
    try? input?.close()
  }
}
