"""Rows that a transaction stages before it writes them, by table."""
