"""Nodes and events of ML Metadata as messages of the store."""

from collections.abc import Mapping

from lineage_store.database.ids import MAX_ID
from lineage_store.database.mlmd.records import EventRecord, NodeRecord, PropertyRecord, StepRecord
from lineage_store.database.staging.types import StoredType
from lineage_store.kinds import NodeKind, NodeMessage
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.texts import any_text, key_text
from lineage_store.transfer.mlmd.values import value_of
from lineage_store.v1 import metadata_pb2 as pb

LEFT_OUT = "it is left out"
_KEPT = range(1, MAX_ID)


class NodeDecoder:
    """Makes messages of the rows of one kind of node.

    Args:
        kind: The kind of node.
        types: All types by id.
        findings: Receives the values that do not fit.
    """

    def __init__(self, kind: NodeKind, types: Mapping[int, StoredType], findings: Findings) -> None:
        self._kind = kind
        self._types = types
        self._findings = findings
        field = kind.message.DESCRIPTOR.fields_by_name.get(kind.state_field or "")
        self._states = field.enum_type.values_by_number if field else {}

    def decode(self, record: NodeRecord) -> NodeMessage | None:
        """Return the node, or None if a store can't have it."""
        where = f"{self._kind.name} {record.id}"
        stored_type = self._types.get(record.type_id)
        if record.id not in _KEPT:
            self._findings.add(where, "has an id that a store does not give out", LEFT_OUT)
            return None
        if stored_type is None or stored_type.kind is not self._kind:
            reason = f"has the type {record.type_id}, which is none of its kind"
            self._findings.add(where, reason, LEFT_OUT)
            return None
        message: NodeMessage = self._kind.message(
            id=record.id,
            type_id=record.type_id,
            type=stored_type.message.name,
            create_time_since_epoch=record.create_time or 0,
            last_update_time_since_epoch=record.update_time or 0,
        )
        self._set_names(message, record, where)
        self._set_state(message, record.state, where)
        for value in record.properties:
            self._set_property(message, value, where)
        return message

    def _set_names(self, message: NodeMessage, record: NodeRecord, where: str) -> None:
        if record.name is not None:
            message.name = key_text(record.name, f"{where}, name", self._findings)
        if record.external_id is not None:
            text = key_text(record.external_id, f"{where}, external id", self._findings)
            if text:
                message.external_id = text
            else:
                self._findings.add(where, "has an empty external id", "it has none now")
        if isinstance(message, pb.Artifact):
            message.uri = any_text(record.uri or "", f"{where}, uri", self._findings)

    def _set_state(self, message: object, state: object, where: str) -> None:
        if state is None:
            return
        if state in self._states:
            setattr(message, str(self._kind.state_field), state)
        else:
            self._findings.add(where, f"has the unknown state {state}", "it has none now")

    def _set_property(self, message: NodeMessage, record: PropertyRecord, where: str) -> None:
        is_custom = bool(record.is_custom)
        custom = "custom property" if is_custom else "property"
        name = key_text(record.name, f"{where}, the name of a {custom}", self._findings)
        value = value_of(record, f"{where}, {custom} {name!r}", self._findings)
        if value is not None:
            values = message.custom_properties if is_custom else message.properties
            values[name].CopyFrom(value)


def decode_event(record: EventRecord, findings: Findings) -> pb.Event | None:
    """Return the event, or None if a store can't have it."""
    where = f"event {record.id}"
    type_numbers = pb.Event.Type.values()
    if record.id not in _KEPT or record.type not in type_numbers or not record.type:
        message = f"has the unknown type {record.type}, or an id that a store does not give out"
        findings.add(where, message, LEFT_OUT)
        return None
    event = pb.Event(
        artifact_id=record.artifact_id, execution_id=record.execution_id, type=record.type
    )
    if record.milliseconds is not None:
        event.milliseconds_since_epoch = record.milliseconds
    for step in record.path:
        _add_step(event, step, where, findings)
    return event


def _add_step(event: pb.Event, step: StepRecord, where: str, findings: Findings) -> None:
    if step.is_index and step.index is not None:
        event.path.steps.add(index=step.index)
    elif not step.is_index and step.key is not None:
        event.path.steps.add(key=any_text(step.key, f"{where}, a step of its path", findings))
    else:
        findings.add(where, "has a step of its path without a value", LEFT_OUT)
