enum EmbeddedPostgreSQLPlaceholder {}
