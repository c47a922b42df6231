"""The `Store` port on SQLite and MariaDB (MySQL 8 is expected to work, not tested)."""
