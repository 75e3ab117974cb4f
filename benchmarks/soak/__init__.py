"""A server under load, attack and planned restarts, for as long as you like."""
