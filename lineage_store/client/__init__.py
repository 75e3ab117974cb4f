"""The Python API, over an engine in this process or a gRPC channel."""

import os

# Unset, gRPC prepares its core for a fork but not its Python part, and a child that never uses it
# crashes. A child of ours does not use it: its records go to the spool.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
