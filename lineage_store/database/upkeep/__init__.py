"""Work behind the writers."""
