import Synchronization

/// A value that the tasks of a test share.
public final class Shared<Value: Sendable>: Sendable {
  private let storage: Mutex<Value>

  public init(_ value: Value) { storage = Mutex(value) }

  public var value: Value { storage.withLock(\.self) }

  @discardableResult
  public func update<T: Sendable>(_ change: (inout Value) -> T) -> T {
    storage.withLock { value in change(&value) }
  }
}
