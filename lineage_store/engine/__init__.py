"""The meaning of every RPC: a request message in, a response out; knows no transport."""

from lineage_store.engine.engine import Engine

__all__ = ["Engine"]
