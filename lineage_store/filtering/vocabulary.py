"""The vocabulary of filters: the attributes of each kind of node, and of its neighbours."""

from dataclasses import dataclass
from enum import Enum

from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind
from lineage_store.v1 import metadata_pb2 as pb


class Type(Enum):
    """The type of an expression."""

    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    STRING = "STRING"
    BOOL = "BOOL"
    NULL = "NULL"


Names = tuple[tuple[str, int], ...]
"""The names of an enumeration, with their numbers."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that a node or an event has.

    Attributes:
        column: The column that holds it.
        type: Its type.
        names: Names of its values, if it is an enumeration.
    """

    column: str
    type: Type
    names: Names = ()


_SHARED = {
    "id": Attribute("id", Type.INT64),
    "type_id": Attribute("type_id", Type.INT64),
    "name": Attribute("name", Type.STRING),
    "external_id": Attribute("external_id", Type.STRING),
    "create_time_since_epoch": Attribute("create_time", Type.INT64),
    "last_update_time_since_epoch": Attribute("update_time", Type.INT64),
}
ATTRIBUTES: dict[NodeKind, dict[str, Attribute]] = {
    ARTIFACT: _SHARED
    | {
        "uri": Attribute("uri", Type.STRING),
        "state": Attribute("state", Type.INT64, tuple(pb.Artifact.State.items())),
    },
    EXECUTION: _SHARED
    | {"last_known_state": Attribute("state", Type.INT64, tuple(pb.Execution.State.items()))},
    CONTEXT: _SHARED,
}
TYPE_ATTRIBUTES = {
    "type": Attribute("name", Type.STRING),
    "type_version": Attribute("version", Type.STRING),
}
EVENT_ATTRIBUTES = {
    "type": Attribute("type", Type.INT64, tuple(pb.Event.Type.items())),
    "milliseconds_since_epoch": Attribute("happened_at", Type.INT64),
    "path": Attribute("path", Type.STRING),
}
PROPERTY_ATTRIBUTES = {
    "int_value": Attribute("int_value", Type.INT64),
    "double_value": Attribute("double_value", Type.FLOAT64),
    "string_value": Attribute("string_value", Type.STRING),
    "bool_value": Attribute("bool_value", Type.BOOL),
}
PROPERTIES = {"properties": False, "custom_properties": True}
"""The prefixes of properties, and whether each stands for the custom ones."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of the nodes of one kind to their neighbours.

    Attributes:
        edges: The table of edges.
        near: Its column with the id of the node.
        far: Its column with the id of the neighbour.
        kind: What the neighbour is.
        is_event: The filter speaks of the edge itself, not of the neighbour.
    """

    edges: str
    near: str
    far: str
    kind: NodeKind
    is_event: bool = False


_ATTRIBUTIONS = ("attributions", "artifact_id", "context_id")
_ASSOCIATIONS = ("associations", "execution_id", "context_id")
_PARENTS = ("parent_contexts", "child_id", "parent_id")


def _reverse(edges: str, near: str, far: str) -> tuple[str, str, str]:
    return (edges, far, near)


RELATIONS: dict[NodeKind, dict[str, Relation]] = {
    ARTIFACT: {
        "contexts": Relation(*_ATTRIBUTIONS, CONTEXT),
        "events": Relation("events", "artifact_id", "execution_id", EXECUTION, is_event=True),
    },
    EXECUTION: {
        "contexts": Relation(*_ASSOCIATIONS, CONTEXT),
        "events": Relation("events", "execution_id", "artifact_id", ARTIFACT, is_event=True),
    },
    CONTEXT: {
        "parent_contexts": Relation(*_PARENTS, CONTEXT),
        "child_contexts": Relation(*_reverse(*_PARENTS), CONTEXT),
        "artifacts": Relation(*_reverse(*_ATTRIBUTIONS), ARTIFACT),
        "executions": Relation(*_reverse(*_ASSOCIATIONS), EXECUTION),
    },
}


def names_of(kind: NodeKind) -> list[str]:
    """Return every name that a filter on a kind of node can begin with."""
    relations = [f"{relation}_a" for relation in RELATIONS[kind]]
    return [*ATTRIBUTES[kind], *TYPE_ATTRIBUTES, *PROPERTIES, *relations]
