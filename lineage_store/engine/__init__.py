"""What every RPC means: a request message in, a response out; knows no transport."""

from lineage_store.engine.engine import Engine

__all__ = ["Engine"]
