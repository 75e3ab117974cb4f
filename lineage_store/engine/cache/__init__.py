"""The cache: decisions, claims, and steps recorded with what they publish."""
