"""The schema: created, checked, upgraded."""
