"""The way of records to the store: sent, spooled to disk, replayed, salvaged."""
