"""The RPCs that answer the questions of an audit."""
