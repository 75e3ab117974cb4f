"""The hook of Kedro; `hook` is the module that the tool loads."""
