"""Queries: one consistent state of a store, read through fixed statements."""
