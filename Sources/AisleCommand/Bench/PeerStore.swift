import Foundation

/// Another event store on PostgreSQL, measured on the same server. The programs are the user's; see `bin/peers`.
enum PeerStore: Sendable {
  /// message-db: the folder `database` of its repository. Written by `pgbench` through its function `write_message`.
  case messageDB(folder: String)
  /// The Python library eventsourcing: an interpreter that has it, with its PostgreSQL driver.
  case pyeventsourcing(python: String)

  var name: String {
    switch self {
    case .messageDB: "message-db"
    case .pyeventsourcing: "pyeventsourcing"
    }
  }

  /// Makes an empty database for it.
  func install(on conninfo: String, psql: String) async throws {
    for statement in ["drop database if exists \(database)", "create database \(database)"] {
      _ = try await Shell.run(psql, [conninfo, "-q", "-v", "ON_ERROR_STOP=1", "-c", statement])
    }
    guard case .messageDB(let folder) = self else { return }
    // In the order of its own install.sh, which wants to make the database as well.
    let files =
      [
        "roles/message-store.sql", "schema/message-store.sql", "extensions/pgcrypto.sql",
        "tables/messages.sql",
      ]
      + ["types/message.sql"]
      + [
        "message-store-version", "hash-64", "acquire-lock", "category", "is-category", "id", "cardinal-id",
        "stream-version", "write-message", "get-stream-messages", "get-category-messages",
        "get-last-stream-message",
      ].map { "functions/\($0).sql" }
      + ["messages-id", "messages-stream", "messages-category"].map { "indexes/\($0).sql" }
    for file in files {
      _ = try await Shell.run(
        psql, [conninfo + " dbname=\(database)", "-q", "-v", "ON_ERROR_STOP=1", "-f", "\(folder)/\(file)"])
    }
  }

  func remove(from conninfo: String, psql: String) async throws {
    _ = try await Shell.run(psql, [conninfo, "-q", "-c", "drop database if exists \(database)"])
  }

  /// Single-event appends a second with so many clients.
  func appendRate(clients: Int, seconds: Int, conninfo: String, pgbench: String) async throws -> Double {
    let conninfo = conninfo + " dbname=\(database)"
    switch self {
    case .messageDB:
      let script = """
        select message_store.write_message(
          gen_random_uuid()::varchar, 'bench-' || gen_random_uuid(), 'BenchHappened', '\(AppendLoad.payload)'::jsonb);

        """
      return try await Pgbench(
        program: pgbench, conninfo: conninfo + " options='-c search_path=message_store,public'"
      ).run(script, clients: clients, seconds: seconds)
    case .pyeventsourcing(let python):
      let output = try await Shell.run(
        python, ["-c", Self.pythonProgram, conninfo, "\(clients)", "\(seconds)", AppendLoad.payload])
      guard let rate = Double(output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw CommandFailure("the Python program printed no rate: \(output)")
      }
      return rate
    }
  }

  private var database: String { "aisle_bench_\(name.filter(\.isLetter))" }

  /// New aggregates with one event each, from threads of up to four processes, which is where it was fastest.
  private static let pythonProgram = """
    import multiprocessing, os, sys, threading, time
    from psycopg.conninfo import conninfo_to_dict

    conninfo, clients, seconds, payload = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    given = conninfo_to_dict(conninfo)
    os.environ.update({
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": given["dbname"], "POSTGRES_HOST": given.get("host", ""),
        "POSTGRES_PORT": str(given.get("port", "5432")), "POSTGRES_USER": given.get("user", ""),
        "POSTGRES_PASSWORD": given.get("password", "unused"), "POSTGRES_POOL_SIZE": str(clients),
        "POSTGRES_MAX_OVERFLOW": "0", "POSTGRES_MAX_WAITING": "1000", "POSTGRES_POOL_TIMEOUT": "30",
    })
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Order(Aggregate):
        @event("Happened")
        def __init__(self, payload):
            self.payload = payload

    def process(threads, queue):
        app = Application()
        app.save(Order(payload))
        end, counts = time.monotonic() + seconds, [0] * threads
        def work(i):
            while time.monotonic() < end:
                app.save(Order(payload))
                counts[i] += 1
        workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
        start = time.monotonic()
        for w in workers: w.start()
        for w in workers: w.join()
        queue.put(sum(counts) / (time.monotonic() - start))

    Application()  # makes the tables; made several times at once, they fail
    os.environ["CREATE_TABLE"] = "n"
    processes = min(clients, 4)
    queue = multiprocessing.Queue()
    running = [multiprocessing.Process(target=process, args=(clients // processes, queue)) for _ in range(processes)]
    for p in running: p.start()
    print(sum(queue.get(timeout=seconds + 60) for _ in running))
    """
}
