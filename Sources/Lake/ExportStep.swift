/// The moments at which an export may be cut off, in the order in which they come; for the crash tests.
package enum ExportStep: String, CaseIterable, Sendable {
  case lockTaken
  case orphanRemoved
  case manifestRead
  case temporaryCreated
  case blockWritten
  case temporaryWritten
  case temporaryFlushed
  case partLinked
  case temporaryRemoved
  case directoriesFlushed
  case entryWritten
  case entryFlushed
  case entryLinked
  case entryTemporaryRemoved
  case manifestFlushed
}

/// Called at every step. An error that it throws ends the export there.
package typealias ExportStepHook = @Sendable (ExportStep) throws -> Void
