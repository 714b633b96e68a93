// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "aisle",
  products: [
    .executable(name: "aisle", targets: ["AisleCommand"]),
    .library(name: "EventStore", targets: ["EventStore"]),
    .library(name: "Parquet", targets: ["Parquet"]),
    .library(name: "PostgreSQL", targets: ["PostgreSQL"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
  ],
  targets: [
    // C libraries, installed as Debian -dev packages.
    .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),

    // The log: driver → migrations → event store.
    .target(
      name: "PostgreSQL",
      dependencies: [
        "CLibpq", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "EmbeddedPostgreSQL",
      dependencies: ["CLibpq", .product(name: "Logging", package: "swift-log")]),
    .target(
      name: "Migrations",
      dependencies: ["PostgreSQL", .product(name: "Crypto", package: "swift-crypto")],
      resources: [.embedInCode("sql")]),
    .target(
      name: "EventStore",
      dependencies: [
        "PostgreSQL", "Vocabulary",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // The domain: values in, values out.
    .target(name: "Vocabulary"),
    .target(name: "Booking", dependencies: ["Vocabulary"]),
    .target(name: "Ordering", dependencies: ["Vocabulary"]),
    .target(name: "Billing", dependencies: ["Vocabulary"]),

    // Mail, of use without the rest.
    .target(name: "SMTP", dependencies: ["CCurl"]),

    // What users run: domain and store joined.
    .target(
      name: "Services",
      dependencies: [
        "EventStore", "Booking", "Ordering", "Billing", "SMTP",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "RESTAPI",
      dependencies: ["Services", .product(name: "Hummingbird", package: "hummingbird")]),
    // Columns of values as a file that any engine reads; knows nothing of Aisle.
    .target(name: "Parquet", dependencies: ["CZstd", "CSnappy"]),
    .target(
      name: "Lake",
      dependencies: [
        "EventStore", "Billing", "Parquet", "CZstd", .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "Scenarios",
      dependencies: [
        "Migrations", "Services", "RESTAPI", "Lake",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(
      name: "Chaos",
      dependencies: [
        "EmbeddedPostgreSQL", "EventStore", "Migrations",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .executableTarget(
      name: "AisleCommand",
      dependencies: [
        "EmbeddedPostgreSQL", "Migrations", "Services", "SMTP", "RESTAPI", "Lake", "Scenarios", "Chaos",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),

    // Tests.
    .target(
      name: "TestSupport",
      dependencies: [
        "EmbeddedPostgreSQL", "Migrations", "EventStore",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      path: "Tests/TestSupport"),
    .testTarget(
      name: "DomainTests",
      dependencies: [
        "Booking", "Ordering", "Billing", .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    .testTarget(name: "PostgreSQLTests", dependencies: ["TestSupport", "EmbeddedPostgreSQL"]),
    .testTarget(name: "MigrationsTests", dependencies: ["TestSupport"]),
    .testTarget(name: "EventStoreTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ChaosTests", dependencies: ["TestSupport", "Chaos", "AisleCommand"]),
    .testTarget(name: "SMTPTests", dependencies: ["TestSupport", "SMTP"]),
    .testTarget(name: "ServicesTests", dependencies: ["TestSupport", "Services"]),
    .testTarget(
      name: "RESTAPITests",
      dependencies: [
        "TestSupport", "RESTAPI", .product(name: "HummingbirdTesting", package: "hummingbird"),
      ]),
    .testTarget(
      name: "ParquetTests", dependencies: ["TestSupport", "Parquet"], exclude: ["readers.py"]),
    .testTarget(
      name: "LakeTests", dependencies: ["TestSupport", "Lake", "Services"], exclude: ["delta_readers.py"]),
    .testTarget(
      name: "ScenarioTests", dependencies: ["TestSupport", "Scenarios"], exclude: ["Fixtures"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "TestSupport", "AisleCommand",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
