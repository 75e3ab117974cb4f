"""The hook of Dagster; `hook` is the module that the tool loads."""
