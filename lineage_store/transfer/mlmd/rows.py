"""Messages of a store as rows of ML Metadata, in the order of the columns of its tables."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from lineage_store.database.mlmd.target import Item
from lineage_store.database.staging.types import StoredType
from lineage_store.kinds import NodeKind, NodeMessage
from lineage_store.transfer.mlmd.fitting import Fitting
from lineage_store.v1 import metadata_pb2 as pb

Row = tuple[Any, ...]


def type_row(stored_type: StoredType, fitting: Fitting) -> Row:
    """Return the row of a type."""
    message = stored_type.message
    where = f"type {message.id}"
    version, external_id = (
        fitting.key(text, f"{where}, {name}") if text else None
        for name, text in (("version", message.version), ("external id", message.external_id))
    )
    description = None
    if message.HasField("description"):
        description = fitting.text(message.description, f"{where}, description")
    structures = [_structure(message, name, where, fitting) for name in _STRUCTURES]
    name = fitting.key(message.name, f"{where}, name")
    return (
        message.id,
        name,
        version,
        stored_type.kind.number,
        description,
        *structures,
        external_id,
    )


_STRUCTURES = ("input_type", "output_type")


def _structure(message: Message, name: str, where: str, fitting: Fitting) -> str | None:
    if name not in message.DESCRIPTOR.fields_by_name or not message.HasField(name):
        return None
    encoded = json_format.MessageToJson(getattr(message, name), indent=None)
    return fitting.text(encoded, f"{where}, {name}")


def type_property_rows(stored_type: StoredType, fitting: Fitting) -> list[Row]:
    """Return the rows of the properties that a type declares."""
    type_id = stored_type.message.id
    return [
        (type_id, fitting.key(name, f"type {type_id}, a property's name"), number)
        for name, number in sorted(stored_type.message.properties.items())
    ]


def parent_type_rows(types: Iterable[StoredType]) -> list[Row]:
    """Return the rows that tie types to the system types that they refine."""
    types = list(types)
    ids = {(t.kind, t.message.name): t.message.id for t in types if not t.message.version}
    return [
        (t.message.id, ids[t.kind, t.kind.system_types[t.message.base_type]])
        for t in types
        if t.kind.system_types and t.message.base_type
    ]


def node_item(kind: NodeKind, message: NodeMessage, fitting: Fitting) -> Item:
    """Return the row of a node, and those of its properties."""
    where = f"{kind.name} {message.id}"
    name = fitting.key(message.name, f"{where}, name") if message.HasField("name") else None
    external_id = None
    if message.external_id:
        external_id = fitting.key(message.external_id, f"{where}, external id")
    row = (
        message.id,
        message.type_id,
        name,
        external_id,
        *_own_columns(kind, message, where, fitting),
        message.create_time_since_epoch,
        message.last_update_time_since_epoch,
    )
    return row, list(_property_rows(message, where, fitting))


def _own_columns(kind: NodeKind, message: NodeMessage, where: str, fitting: Fitting) -> Row:
    if kind.state_field is None:
        return ()
    has_state = message.HasField(kind.state_field)
    state = getattr(message, kind.state_field) if has_state else None
    if isinstance(message, pb.Artifact):
        return (fitting.text(message.uri, f"{where}, uri"), state)
    return (state,)


def property_places(message: NodeMessage) -> Iterator[tuple[bool, str, pb.Value, str]]:
    """Yield each property: whether it is custom, its name, its value, and how it is called."""
    for is_custom, values in ((False, message.properties), (True, message.custom_properties)):
        kind = "custom property" if is_custom else "property"
        for name, value in sorted(values.items(), key=itemgetter(0)):
            yield is_custom, name, value, f"{kind} {name!r}"


def _property_rows(message: NodeMessage, where: str, fitting: Fitting) -> Iterator[Row]:
    for is_custom, name, value, called in property_places(message):
        values = fitting.values(value, f"{where}, {called}")
        if values is not None:
            key = fitting.key(name, f"{where}, the name of {called}")
            yield (message.id, key, is_custom, *values)


def event_item(event_id: int, event: pb.Event, fitting: Fitting) -> Item:
    """Return the row of an event, and those of the steps of its path."""
    moment = None
    if event.HasField("milliseconds_since_epoch"):
        moment = event.milliseconds_since_epoch
    row = (event_id, event.artifact_id, event.execution_id, event.type, moment)
    return row, list(_step_rows(event_id, event, fitting))


def _step_rows(event_id: int, event: pb.Event, fitting: Fitting) -> Iterator[Row]:
    where = f"event {event_id}, a step of its path"
    for step in event.path.steps:
        if step.WhichOneof("value") == "index":
            index = fitting.number(step.index, where)
            if index is not None:
                yield (event_id, True, index, None)
        else:
            key = fitting.text(step.key, where)
            if key is not None:
                yield (event_id, False, None, key)
