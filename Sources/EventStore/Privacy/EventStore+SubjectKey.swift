import Foundation
import Vocabulary

extension EventStore {
  /// What stands for somebody in the log; nil if the log holds nothing of this person.
  public func keyID(of subject: DataSubject) async throws -> UUID? {
    try await pool.withConnection { try await vault.keys.find(subject, on: $0)?.id }
  }
}
