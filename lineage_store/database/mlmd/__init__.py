"""Databases of ML Metadata: their tables, read row by row and written anew."""
