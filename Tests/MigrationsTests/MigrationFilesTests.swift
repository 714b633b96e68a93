import Foundation
import Testing

@testable import Migrations

@Suite("The files in migrations/")
struct MigrationFilesTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../migrations", directoryHint: .isDirectory).standardizedFileURL

  @Test("the program carries exactly these files, byte for byte")
  func embedded() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
    #expect(names == Migration.all.map(\.fileName))
    for migration in Migration.all {
      let file = try Data(contentsOf: Self.folder.appending(path: migration.fileName))
      #expect(migration.sql == String(decoding: file, as: UTF8.self), "\(migration.fileName)")
    }
  }

  @Test("they are numbered 1, 2, 3 …, and each has a checksum of its own")
  func numbered() {
    #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    #expect(Set(Migration.all.map(\.checksum)).count == Migration.all.count)
    #expect(Migration.all.allSatisfy { $0.checksum.wholeMatch(of: /[0-9a-f]{64}/) != nil })
  }

  @Test("a checksum is the file's SHA-256, as sha256sum prints it")
  func checksum() {
    #expect(
      Migration(7, "abc", Array("abc".utf8)).checksum
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
