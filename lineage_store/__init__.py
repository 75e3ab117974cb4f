"""A pipeline-first lineage graph store for machine learning.

`connect` opens a store, `LineageStore` has its methods, and `step` records a function of yours.
Each name is imported when you first use it: a hook that is off must cost its tool nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage_store import errors as errors
    from lineage_store.cache.keys import Key as Key
    from lineage_store.cache.keys import make_key as make_key
    from lineage_store.client.records import Publication as Publication
    from lineage_store.client.records import StepRecord as StepRecord
    from lineage_store.entities import Artifact as Artifact
    from lineage_store.entities import ArtifactState as ArtifactState
    from lineage_store.entities import ArtifactType as ArtifactType
    from lineage_store.entities import Context as Context
    from lineage_store.entities import ContextType as ContextType
    from lineage_store.entities import Event as Event
    from lineage_store.entities import EventType as EventType
    from lineage_store.entities import Execution as Execution
    from lineage_store.entities import ExecutionState as ExecutionState
    from lineage_store.entities import ExecutionType as ExecutionType
    from lineage_store.entities import PropertyType as PropertyType
    from lineage_store.fingerprints.values import fingerprint as fingerprint
    from lineage_store.lineage.aspects import Aspect as Aspect
    from lineage_store.lineage.differences import Comparison as Comparison
    from lineage_store.lineage.differences import Difference as Difference
    from lineage_store.lineage.graph import Direction as Direction
    from lineage_store.lineage.impact import Impact as Impact
    from lineage_store.lineage.result import Lineage as Lineage
    from lineage_store.lineage.summary import Summary as Summary
    from lineage_store.lineage.verdict import Verdict as Verdict
    from lineage_store.recording.functions import step as step
    from lineage_store.recording.options import Caching as Caching
    from lineage_store.recording.options import RecordingOptions as RecordingOptions
    from lineage_store.recording.runs import Run as Run
    from lineage_store.recording.steps import Step as Step
    from lineage_store.store import LineageStore as LineageStore
    from lineage_store.store import connect as connect

_ROOMS = {
    "cache.keys": ("Key", "make_key"),
    "client.records": ("Publication", "StepRecord"),
    "entities": (
        *("Artifact", "ArtifactState", "ArtifactType", "Context", "ContextType", "Event"),
        *("EventType", "Execution", "ExecutionState", "ExecutionType", "PropertyType"),
    ),
    "fingerprints.values": ("fingerprint",),
    "lineage.aspects": ("Aspect",),
    "lineage.differences": ("Comparison", "Difference"),
    "lineage.graph": ("Direction",),
    "lineage.impact": ("Impact",),
    "lineage.result": ("Lineage",),
    "lineage.summary": ("Summary",),
    "lineage.verdict": ("Verdict",),
    "recording.functions": ("step",),
    "recording.options": ("Caching", "RecordingOptions"),
    "recording.runs": ("Run",),
    "recording.steps": ("Step",),
    "store": ("LineageStore", "connect"),
}
"""The public names, by the module that has them."""

_MODULES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [*_MODULES, "errors"]  # noqa: PLE0604 - the keys are texts


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """Return a public name, imported now."""
    if name == "errors":
        return importlib.import_module("lineage_store.errors")
    if name not in _MODULES:
        raise AttributeError(f"module 'lineage_store' has no attribute {name!r}")
    module = importlib.import_module(f"lineage_store.{_MODULES[name]}")
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
