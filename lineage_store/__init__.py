"""A pipeline-first lineage graph store for machine learning.

`connect` opens a store; `LineageStore` says what can be done with it.
"""

from lineage_store import errors
from lineage_store.client.connecting import connect
from lineage_store.client.store import LineageStore
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

__all__ = [
    "Artifact",
    "ArtifactState",
    "ArtifactType",
    "Context",
    "ContextType",
    "Event",
    "EventType",
    "Execution",
    "ExecutionState",
    "ExecutionType",
    "LineageStore",
    "PropertyType",
    "connect",
    "errors",
]
