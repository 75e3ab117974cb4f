"""Artifacts, executions and contexts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, Self

from lineage_store.entities import tables
from lineage_store.entities.values import (
    PropertyValue,
    from_value,
    integer,
    member,
    optional,
    set_plain,
    text,
    to_value,
)
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind


class ArtifactState(StrEnum):
    """The state of an artifact in its life."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    LIVE = "LIVE"
    MARKED_FOR_DELETION = "MARKED_FOR_DELETION"
    DELETED = "DELETED"
    ABANDONED = "ABANDONED"
    REFERENCE = "REFERENCE"


class ExecutionState(StrEnum):
    """The state of an execution."""

    UNKNOWN = "UNKNOWN"
    NEW = "NEW"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CACHED = "CACHED"
    CANCELED = "CANCELED"


@lru_cache(maxsize=64)
def _state_number(kind: NodeKind, state: str) -> int:
    number: int = kind.message.State.Value(state)
    return number


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Node:
    """The common part of artifacts, executions and contexts.

    Attributes:
        id: Given by the store; None: a put creates the node, else it updates the one of this id.
        type: The name of the type.
        type_version: The version of the type; only read by a put, never filled in.
        type_id: The id of the type; wins over its name.
        name: Unique among the nodes of the type; mandatory for a context.
        external_id: An id of the caller's own, unique among the nodes of the kind.
        properties: Values of the properties that the type declares.
        custom_properties: Values of other properties.
        create_time: When the node was created, in ms; filled in by the store.
        update_time: When it last changed, in ms; filled in by the store.
    """

    kind: ClassVar[NodeKind]
    _states: ClassVar[type[StrEnum] | None] = None

    id: int | None = None
    type: str | None = None
    type_version: str | None = None
    type_id: int | None = None
    name: str | None = None
    external_id: str | None = None
    properties: Mapping[str, PropertyValue] = field(default_factory=dict)
    custom_properties: Mapping[str, PropertyValue] = field(default_factory=dict)
    create_time: int | None = None
    update_time: int | None = None

    def __repr__(self) -> str:
        return tables.short_repr(self)

    def _repr_html_(self) -> str:
        return tables.html_item(self)

    def to_message(self) -> Any:
        """Return the node as a v1 message.

        Raises:
            InvalidArgument: A field has a value that can't be kept.
        """
        message = self.kind.message()
        for name in ("name", "type", "external_id", "uri"):
            value = getattr(self, name, None)
            if value is not None:
                self._write_text(message, name, value)
        for name in ("id", "type_id"):
            if getattr(self, name) is not None:
                setattr(message, name, integer(getattr(self, name), f"{self.kind.name}.{name}"))
        if self.update_time is not None:  # what the optimistic lock compares
            message.last_update_time_since_epoch = self.update_time
        self._write_state(message)
        if self.properties:
            self._write_properties(message, "properties")
        if self.custom_properties:
            self._write_properties(message, "custom_properties")
        return message

    def _write_text(self, message: Any, name: str, value: Any) -> None:
        try:
            if type(value) is str:
                setattr(message, name, value)
                return
        except UnicodeEncodeError:
            pass  # `text` says what is wrong
        setattr(message, name, text(value, f"{self.kind.name}.{name}"))

    def _write_state(self, message: Any) -> None:
        state = getattr(self, "state", None)
        if self._states is not None and state is not None:
            number = member(self._states, state, f"{self.kind.name}.state")
            setattr(message, str(self.kind.state_field), _state_number(self.kind, number))

    def _write_properties(self, message: Any, name: str) -> None:
        target = getattr(message, name)
        for key, value in getattr(self, name).items():
            if set_plain(target, key, value):
                continue
            where = f"{self.kind.name}.{name}[{key!r}]"
            target[text(key, f"a key of {self.kind.name}.{name}")].CopyFrom(to_value(value, where))

    @classmethod
    def from_message(cls, message: Any) -> Self:
        """Return the node that a v1 message holds."""
        values = {
            name: optional(message, name)
            for name in ("id", "type", "type_id", "name", "external_id")
        }
        for name in ("properties", "custom_properties"):
            stored = getattr(message, name)
            values[name] = {key: from_value(value) for key, value in stored.items()}
        if cls._states is not None:
            number = optional(message, str(cls.kind.state_field))
            state = None if number is None else cls._states(cls.kind.message.State.Name(number))
            values["state"] = state
        if cls.kind is ARTIFACT:
            values["uri"] = message.uri or None
        return cls(
            **values,
            create_time=optional(message, "create_time_since_epoch"),
            update_time=optional(message, "last_update_time_since_epoch"),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Artifact(Node):
    """A thing that an execution reads or writes: a data set, a model, a table of metrics.

    Attributes:
        uri: Where the payload is.
        state: Where the artifact is in its life; the store checks no transition.
    """

    kind = ARTIFACT
    _states = ArtifactState

    uri: str | None = None
    state: ArtifactState | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Execution(Node):
    """One run of one step of a pipeline.

    Attributes:
        state: How far it came; the store checks no transition.
    """

    kind = EXECUTION
    _states = ExecutionState

    state: ExecutionState | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Context(Node):
    """Groups artifacts and executions: a pipeline, a run of it, a project."""

    kind = CONTEXT
