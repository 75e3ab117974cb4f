"""The databases that a store can lie in: SQLite, PostgreSQL, MySQL and MariaDB."""
