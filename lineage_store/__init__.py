"""A pipeline-first lineage graph store for machine learning.

`connect` opens a store; `LineageStore` has its methods. Names are imported when they
are first used: a hook that is off must cost the tool that loads it nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage_store import errors
    from lineage_store.entities import (
        Artifact,
        ArtifactState,
        ArtifactType,
        Context,
        ContextType,
        Event,
        EventType,
        Execution,
        ExecutionState,
        ExecutionType,
        PropertyType,
    )
    from lineage_store.lineage.aspects import Aspect
    from lineage_store.lineage.differences import Comparison, Difference
    from lineage_store.lineage.graph import Direction
    from lineage_store.lineage.impact import Impact
    from lineage_store.lineage.result import Lineage
    from lineage_store.lineage.summary import Summary
    from lineage_store.lineage.verdict import Verdict
    from lineage_store.store import LineageStore, connect

__all__ = [
    "Artifact",
    "ArtifactState",
    "ArtifactType",
    "Aspect",
    "Comparison",
    "Context",
    "ContextType",
    "Difference",
    "Direction",
    "Event",
    "EventType",
    "Execution",
    "ExecutionState",
    "ExecutionType",
    "Impact",
    "Lineage",
    "LineageStore",
    "PropertyType",
    "Summary",
    "Verdict",
    "connect",
    "errors",
]

_MODULES = {
    "Aspect": "lineage.aspects",
    "Comparison": "lineage.differences",
    "Difference": "lineage.differences",
    "Direction": "lineage.graph",
    "Impact": "lineage.impact",
    "Lineage": "lineage.result",
    "LineageStore": "store",
    "Summary": "lineage.summary",
    "Verdict": "lineage.verdict",
    "connect": "store",
}
"""The modules of the public names; names that are not here are in `entities`."""


def __getattr__(name: str) -> Any:
    """Return a public name, imported now."""
    if name == "errors":
        return importlib.import_module("lineage_store.errors")
    if name not in __all__:
        raise AttributeError(f"module 'lineage_store' has no attribute {name!r}")
    module = importlib.import_module(f"lineage_store.{_MODULES.get(name, 'entities')}")
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
