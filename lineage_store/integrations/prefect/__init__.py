"""The hook of Prefect; `hook` is the module that the tool loads."""
