"""Lineage: walks over a source of neighbours, their results, and views of these."""
