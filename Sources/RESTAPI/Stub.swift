import Services
import Logging
import ServiceLifecycle
public struct RESTAPI { public init(aisle: Aisle, logger: Logger) {} ; public func application(host: String, port: Int) -> any Service { X() } }
struct X: Service { func run() async throws { try await gracefulShutdown() } }
