"""The database of a store; the only place with SQL."""
