"""Lineage: walks over the graph, answered as ML Metadata does and as LineageService does."""
