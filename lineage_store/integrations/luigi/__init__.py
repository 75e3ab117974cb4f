"""The hook of Luigi; `hook` is the module that the tool loads."""
