"""Bounds on what a store takes, chosen so that every database can hold and index it."""

MAX_NAME = 512
"""Characters in a name, a version, an external id or the name of a property."""

MAX_PAGE = 100
"""Nodes on a page of a listing."""
