"""The types of artifacts, executions and contexts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self

from lineage_store import errors
from lineage_store.entities.values import member, optional, text
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind, TypeMessage
from lineage_store.v1 import metadata_pb2 as pb


class PropertyType(StrEnum):
    """The kind of value that a declared property holds; none is widened to another."""

    INT = "INT"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    STRUCT = "STRUCT"
    PROTO = "PROTO"
    BOOLEAN = "BOOLEAN"


_PYTHON_TYPES: dict[object, PropertyType] = {
    int: PropertyType.INT,
    float: PropertyType.DOUBLE,
    str: PropertyType.STRING,
    dict: PropertyType.STRUCT,
    bool: PropertyType.BOOLEAN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """The common part of the types of artifacts, executions and contexts.

    Attributes:
        name: Identifies the type among those of its kind, together with the version.
        version: None: the type without version.
        description: For people; kept as first put.
        external_id: An id of the caller's own, unique among the types of the kind.
        properties: What each property holds: int, float, str, bool, dict, or a PropertyType;
            once the type is made, always a PropertyType.
        base_type: The system type that this one refines, such as "mlmd.Model".
        id: Given by the store; a put does not read it.
    """

    kind: ClassVar[NodeKind]

    name: str
    version: str | None = None
    description: str | None = None
    external_id: str | None = None
    properties: Mapping[str, type | str] = field(default_factory=dict)
    base_type: str | None = None
    id: int | None = None

    def __post_init__(self) -> None:
        declared = {
            key: _property_type(value, f"{self.kind.name} type property {key!r}")
            for key, value in self.properties.items()
        }
        object.__setattr__(self, "properties", declared)

    def to_message(self) -> Any:  # noqa: ANN401 - the message of the kind
        """Return the type as a v1 message.

        Raises:
            InvalidArgument: A field has a value that can't be kept.
        """
        message = self.kind.type_message()
        for name in ("name", "version", "description", "external_id"):
            value = getattr(self, name)
            if value is not None:
                setattr(message, name, text(value, f"{self.kind.name} type {name}"))
        for key, declared in self.properties.items():
            message.properties[text(key, "a property")] = pb.PropertyType.Value(str(declared))
        if self.base_type is not None:
            message.base_type = self._base_number(self.base_type)
        return message

    def _base_number(self, name: str) -> int:
        numbers = {system_type: number for number, system_type in self.kind.system_types.items()}
        if name not in numbers:
            choices = ", ".join(numbers) or "none: contexts have no system types"
            raise errors.InvalidArgument(f"base_type {name!r} is not one of {choices}")
        return numbers[name]

    @classmethod
    def from_message(cls, message: TypeMessage) -> Self:
        """Return the type that a v1 message holds."""
        return cls(
            name=message.name,
            **{name: optional(message, name) for name in ("id", "description", "external_id")},
            version=message.version or None,
            base_type=cls.kind.system_types.get(message.base_type),
            properties={
                key: PropertyType(pb.PropertyType.Name(number))
                for key, number in message.properties.items()
            },
        )


def _property_type(value: object, where: str) -> PropertyType:
    if value in _PYTHON_TYPES:
        return _PYTHON_TYPES[value]
    return member(PropertyType, value, where)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactType(NodeType):
    """Declares which properties the artifacts of one type may have."""

    kind = ARTIFACT


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionType(NodeType):
    """Declares which properties the executions of one type may have."""

    kind = EXECUTION


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextType(NodeType):
    """Declares which properties the contexts of one type may have."""

    kind = CONTEXT
