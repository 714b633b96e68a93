public func x() -> Int { PackageResources._0001_event_store_sql.count }
