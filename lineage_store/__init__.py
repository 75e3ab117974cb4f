"""A pipeline-first lineage graph store for machine learning.

`connect` opens a store; `LineageStore` says what can be done with it.
"""

from lineage_store import errors
from lineage_store.lineage.aspects import Aspect
from lineage_store.lineage.differences import Comparison, Difference
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.impact import Impact
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.summary import Summary
from lineage_store.lineage.verdict import Verdict
from lineage_store.model import (
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
