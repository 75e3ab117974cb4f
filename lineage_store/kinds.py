"""The three kinds of node, which differ in little more than their names."""

from dataclasses import dataclass
from typing import Any

from lineage_store.v1 import metadata_pb2 as pb

NodeMessage = pb.Artifact | pb.Execution | pb.Context
TypeMessage = pb.ArtifactType | pb.ExecutionType | pb.ContextType


@dataclass(frozen=True, slots=True, eq=False)
class NodeKind:
    """The differences between artifacts, executions and contexts.

    Attributes:
        name: Singular, lower case: "artifact".
        plural: Plural, lower case: "artifacts".
        number: How ML Metadata numbers the kind in its table of types.
        message: The class of the node's message.
        type_message: The class of the type's message.
        state_field: The field that holds the state, or None.
        system_types: The names of the system types, by their number in `base_type`.
    """

    name: str
    plural: str
    number: int
    message: Any
    type_message: Any
    state_field: str | None
    system_types: dict[int, str]

    def __repr__(self) -> str:
        return f"<{self.name}>"


ARTIFACT = NodeKind(
    name="artifact",
    plural="artifacts",
    number=1,
    message=pb.Artifact,
    type_message=pb.ArtifactType,
    state_field="state",
    system_types={1: "mlmd.Dataset", 2: "mlmd.Model", 3: "mlmd.Metrics", 4: "mlmd.Statistics"},
)
EXECUTION = NodeKind(
    name="execution",
    plural="executions",
    number=0,
    message=pb.Execution,
    type_message=pb.ExecutionType,
    state_field="last_known_state",
    system_types={
        1: "mlmd.Train",
        2: "mlmd.Transform",
        3: "mlmd.Process",
        4: "mlmd.Evaluate",
        5: "mlmd.Deploy",
    },
)
CONTEXT = NodeKind(
    name="context",
    plural="contexts",
    number=2,
    message=pb.Context,
    type_message=pb.ContextType,
    state_field=None,
    system_types={},
)
KINDS = (ARTIFACT, EXECUTION, CONTEXT)
BY_NUMBER = {kind.number: kind for kind in KINDS}
