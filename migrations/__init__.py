"""The migrations of the database, one chain for SQLite and PostgreSQL."""
