"""The cache: decisions, claims, and steps recorded with the entries that they publish."""
