"""The command line: `lineage-store`."""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # errors say what gRPC would log

from lineage_store.cli.main import main

__all__ = ["main"]
