"""Checks that the contents of a store are sound: references, bodies, indexes, names, counters."""
