"""Lineage: walks over a source of neighbours, their results, and what is made of these."""
