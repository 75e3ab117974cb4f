"""The artifacts that a step reads and writes, each with its slot in the signature of the step."""

from collections.abc import Sequence
from dataclasses import dataclass

from lineage_store.entities import Artifact, EventType
from lineage_store.entities.values import optional
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class StepArtifact:
    """An artifact and its slot in the signature of a step.

    Attributes:
        artifact: The artifact; in a record also its id.
        name: Of the input or output.
        index: Among those of one name, from 0.
        event_type: None: INPUT among the inputs, OUTPUT among the outputs.
        time: When it was read or written, in ms; None: when it is recorded.
    """

    artifact: Artifact | int
    name: str
    index: int = 0
    event_type: EventType | None = None
    time: int | None = None

    def to_message(self) -> pb.StepArtifact:
        """Return the v1 message.

        Raises:
            InvalidArgument: A field of the artifact has a value that can't be kept.
        """
        node = self.artifact
        artifact = metadata_pb2.Artifact(id=node) if isinstance(node, int) else node.to_message()
        message = pb.StepArtifact(
            artifact=artifact, name=self.name, index=self.index, event_type=self.event_type
        )
        if self.time is not None:
            message.happened_at_milliseconds = self.time
        return message

    @classmethod
    def from_message(cls, message: pb.StepArtifact) -> "StepArtifact":
        """Return the artifact and the slot that a v1 message holds."""
        kind = optional(message, "event_type")
        return cls(
            artifact=Artifact.from_message(message.artifact),
            name=message.name,
            index=message.index,
            event_type=None if kind is None else EventType(metadata_pb2.Event.Type.Name(kind)),
            time=optional(message, "happened_at_milliseconds"),
        )


def artifacts_by_name(step_artifacts: Sequence[StepArtifact]) -> dict[str, list[Artifact]]:
    """Return the artifacts of each name, in the order of their indexes."""
    by_name: dict[str, list[Artifact]] = {}
    for one in sorted(step_artifacts, key=lambda one: (one.name, one.index)):
        if isinstance(one.artifact, Artifact):
            by_name.setdefault(one.name, []).append(one.artifact)
    return by_name
