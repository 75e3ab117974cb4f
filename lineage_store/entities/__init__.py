"""The dataclasses that a Python user touches, and their way to and from v1 messages.

All of them are immutable: change one with `dataclasses.replace`, and put it again. Times are in
milliseconds since the epoch, by the clock of the server.
"""

from lineage_store.entities.events import Event, EventType
from lineage_store.entities.nodes import (
    Artifact,
    ArtifactState,
    Context,
    Execution,
    ExecutionState,
    Node,
)
from lineage_store.entities.types import (
    ArtifactType,
    ContextType,
    ExecutionType,
    NodeType,
    PropertyType,
)
from lineage_store.entities.values import PropertyValue

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
    "Node",
    "NodeType",
    "PropertyType",
    "PropertyValue",
]
