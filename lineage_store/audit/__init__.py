"""The questions of an audit: their answers from a lineage, and reports of them. Pure."""
