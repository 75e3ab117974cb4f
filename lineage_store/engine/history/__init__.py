"""The RPCs about the past of a store: revisions, versions of nodes, changes."""
