"""The hook of Metaflow; `hook` is the module that the tool loads."""
