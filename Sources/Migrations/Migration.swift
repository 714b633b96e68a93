import Crypto

/// One forward step of the schema: `migrations/NNNN_name.sql`, compiled into the program.
public struct Migration: Sendable, Hashable {
  public let number: Int
  public let name: String
  public let sql: String
  /// SHA-256 of the file in lower-case hexadecimal.
  public let checksum: String

  init(_ number: Int, _ name: String, _ bytes: [UInt8]) {
    self.number = number
    self.name = name
    sql = String(decoding: bytes, as: UTF8.self)
    checksum = SHA256.hash(data: bytes).map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }

  public var fileName: String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_\(name).sql"
  }

  /// Every migration in order. A test holds this list against the folder `migrations`.
  public static let all: [Migration] = [
    Migration(1, "event_store", PackageResources._001_event_store_sql),
    Migration(2, "subscriptions", PackageResources._002_subscriptions_sql),
    Migration(3, "read_models", PackageResources._003_read_models_sql),
    Migration(4, "billing", PackageResources._004_billing_sql),
    Migration(5, "append", PackageResources._005_append_sql),
    Migration(6, "subscriptions", PackageResources._006_subscriptions_sql),
    Migration(7, "roles", PackageResources._007_roles_sql),
    Migration(8, "privacy", PackageResources._008_privacy_sql),
    Migration(9, "snapshots_and_keys", PackageResources._009_snapshots_and_keys_sql),
    Migration(10, "shows", PackageResources._010_shows_sql),
    Migration(11, "payments", PackageResources._011_payments_sql),
    Migration(12, "notifications", PackageResources._012_notifications_sql),
    Migration(13, "snapshot_compression", PackageResources._013_snapshot_compression_sql),
    Migration(14, "waiting_rooms", PackageResources._014_waiting_rooms_sql),
    Migration(15, "mail", PackageResources._015_mail_sql),
    Migration(16, "ledger", PackageResources._016_ledger_sql),
    Migration(17, "account_zones", PackageResources._017_account_zones_sql),
    Migration(18, "month_closings", PackageResources._018_month_closings_sql),
    Migration(19, "billing_checks", PackageResources._019_billing_checks_sql),
  ]
}
