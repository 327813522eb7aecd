"""How we speak SQL fast, and alike, on SQLite and PostgreSQL."""
