"""The command line: `lineage-store`."""

from lineage_store.cli.main import main

__all__ = ["main"]
