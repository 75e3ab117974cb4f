"""Types of ML Metadata as messages of the store."""

from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format

from lineage_store.database.ids import MAX_ID
from lineage_store.database.mlmd.records import TypeRecord
from lineage_store.database.schema.revisions import FIRST_USER_TYPE
from lineage_store.database.staging.types import StoredType
from lineage_store.kinds import BY_NUMBER, KINDS, NodeKind, TypeMessage
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.texts import any_text, key_text
from lineage_store.v1 import metadata_pb2 as pb

_STRUCTURES = ("input_type", "output_type")
_KEPT = range(1, MAX_ID)


def decode_types(records: Iterable[TypeRecord], findings: Findings) -> dict[int, StoredType]:
    """Return the types of a database by id; the nine system types are among them.

    Those that the database lacks get ids behind all others.
    """
    records = list(records)
    names = {record.id: _text(record.name) for record in records}
    types: dict[int, StoredType] = {}
    identities: set[tuple[int, str, str]] = set()
    for record in records:
        decoded = _decode(record, names, findings)
        if decoded is not None:
            _give_version(decoded, identities, findings)
            types[record.id] = decoded
    _add_system_types(types, identities)
    return types


def _text(cell: str | bytes) -> str:
    return any_text(cell, "", Findings())


def _decode(record: TypeRecord, names: dict[int, str], findings: Findings) -> StoredType | None:
    where = f"type {record.id}"
    kind = BY_NUMBER.get(record.kind)
    if kind is None or record.id not in _KEPT:
        findings.add(
            where,
            f"is of the unknown kind {record.kind}, or its id is not one that a store gives out",
            "it is left out",
        )
        return None
    message = kind.type_message(id=record.id, name=key_text(record.name, where, findings))
    if record.version:
        message.version = key_text(record.version, f"{where}, version", findings)
    if record.description is not None:
        message.description = any_text(record.description, f"{where}, description", findings)
    if record.external_id is not None:
        _set_external_id(message, record.external_id, where, findings)
    for name in _STRUCTURES:
        _set_structure(message, name, getattr(record, name), where, findings)
    for name, number in record.properties:
        _declare(message, name, number, where, findings)
    _set_base_type(kind, message, [names.get(parent) for parent in record.parents], findings)
    return StoredType(kind, message)


def _set_external_id(
    message: TypeMessage, cell: str | bytes, where: str, findings: Findings
) -> None:
    external_id = key_text(cell, f"{where}, external id", findings)
    if external_id:
        message.external_id = external_id
    else:
        findings.add(where, "has an empty external id", "it has none now")


def _set_structure(
    message: TypeMessage, name: str, cell: str | bytes | None, where: str, findings: Findings
) -> None:
    if not cell or name not in message.DESCRIPTOR.fields_by_name:
        return
    text = any_text(cell, f"{where}, {name}", findings)
    try:
        getattr(message, name).CopyFrom(json_format.Parse(text, pb.ArtifactStructType()))
    except (json_format.ParseError, RecursionError):
        findings.add(f"{where}, {name}", "can't be decoded", "it is left out")


def _declare(
    message: TypeMessage,
    name: str | bytes,
    number: Any,  # noqa: ANN401 - as an enum takes it
    where: str,
    findings: Findings,
) -> None:
    property_name = key_text(name, f"{where}, a property's name", findings)
    if number in pb.PropertyType.values() and number != pb.UNKNOWN:
        message.properties[property_name] = number
    else:
        reason = f"is declared with the unknown kind of value {number}"
        findings.add(f"{where}, property {property_name!r}", reason, "it is not declared now")


def _set_base_type(
    kind: NodeKind,
    message: Any,  # noqa: ANN401 - each kind has an enum of its own
    parents: list[str | None],
    findings: Findings,
) -> None:
    numbers = {name: number for number, name in kind.system_types.items()}
    for parent in parents:
        if parent in numbers and not message.base_type:
            message.base_type = numbers[parent]
        else:
            reason = f"has the parent type {parent!r}, which is no system type or not the first"
            findings.add(f"type {message.id}", reason, "that tie is left out")


def _give_version(
    stored_type: StoredType, identities: set[tuple[int, str, str]], findings: Findings
) -> None:
    """Tell a type apart from an earlier one of the same kind, name and version."""
    message = stored_type.message
    if (stored_type.kind.number, message.name, message.version) in identities:
        before = f"version {message.version!r}" if message.version else "no version"
        message.version = f"duplicate-{message.id}"
        reason = f"is another {stored_type.kind.name} type named {message.name!r} with {before}"
        findings.add(f"type {message.id}", reason, f"it has version {message.version!r} now")
    identities.add((stored_type.kind.number, message.name, message.version))


def _add_system_types(types: dict[int, StoredType], identities: set[tuple[int, str, str]]) -> None:
    following = max([*types, FIRST_USER_TYPE - 1]) + 1 if types else 1
    for kind in KINDS:
        for name in kind.system_types.values():
            if (kind.number, name, "") not in identities:
                types[following] = StoredType(kind, kind.type_message(id=following, name=name))
                following += 1
