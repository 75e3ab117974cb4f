"""Whether what a store holds is sound: references, bodies, indexes, names, counters."""
