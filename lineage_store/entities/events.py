"""Events: executions that read or wrote artifacts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from lineage_store.entities.values import integer, member, optional, text
from lineage_store.v1 import metadata_pb2 as pb


class EventType(StrEnum):
    """The relation of an execution to an artifact: it read or wrote it."""

    DECLARED_OUTPUT = "DECLARED_OUTPUT"
    DECLARED_INPUT = "DECLARED_INPUT"
    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    INTERNAL_INPUT = "INTERNAL_INPUT"
    INTERNAL_OUTPUT = "INTERNAL_OUTPUT"
    PENDING_OUTPUT = "PENDING_OUTPUT"

    @property
    def is_output(self) -> bool:
        """True if data flows from the execution to the artifact; else it flows the other way."""
        return self.value.endswith("OUTPUT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One artifact read or written by one execution; never changed once it is put.

    Attributes:
        artifact_id: The artifact.
        execution_id: The execution.
        type: What the execution did with the artifact.
        path: Where in the signature of the execution the artifact stood, such as ("model", 0).
        time: When it happened, in ms; None in a put: now.
    """

    type: EventType
    artifact_id: int | None = None
    execution_id: int | None = None
    path: tuple[str | int, ...] = ()
    time: int | None = None

    def to_message(self) -> pb.Event:
        """Return the event as a v1 message.

        Raises:
            InvalidArgument: A field has a value that can't be kept.
        """
        named = member(EventType, self.type, "event.type")
        message = pb.Event(type=str(named))
        for name in ("artifact_id", "execution_id"):
            if getattr(self, name) is not None:
                setattr(message, name, integer(getattr(self, name), f"event.{name}"))
        if self.time is not None:
            message.milliseconds_since_epoch = integer(self.time, "event.time")
        for step in self.path:
            if isinstance(step, str):
                message.path.steps.add(key=text(step, "event.path"))
            else:
                message.path.steps.add(index=integer(step, "event.path"))
        return message

    @classmethod
    def from_message(cls, message: pb.Event) -> Self:
        """Return the event that a v1 message holds."""
        return cls(
            type=EventType(pb.Event.Type.Name(message.type)),
            artifact_id=message.artifact_id,
            execution_id=message.execution_id,
            path=tuple(getattr(step, str(step.WhichOneof("value"))) for step in message.path.steps),
            time=optional(message, "milliseconds_since_epoch"),
        )
