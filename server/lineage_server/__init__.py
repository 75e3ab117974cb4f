"""The deployable server of a lineage store."""
