"""The hook of Snakemake; `hook` is the module that the tool loads."""
