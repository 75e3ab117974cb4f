"""Types of ML Metadata as messages of the store."""

from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format

from lineage_store.database.ids import MAX_ID
from lineage_store.database.mlmd.records import TypeRecord
from lineage_store.database.schema.revisions import FIRST_USER_TYPE
from lineage_store.database.staging.types import StoredType
from lineage_store.kinds import BY_NUMBER, KINDS, NodeKind
from lineage_store.transfer.mlmd.problems import Problems
from lineage_store.transfer.mlmd.texts import any_text, key_text
from lineage_store.v1 import metadata_pb2 as pb

_STRUCTURES = ("input_type", "output_type")
_KEPT = range(1, MAX_ID)


def decode_types(records: Iterable[TypeRecord], problems: Problems) -> dict[int, StoredType]:
    """Return the types of a database by id; the nine system types are among them.

    Those that the database lacks get ids behind all others.
    """
    records = list(records)
    names = {record.id: _text(record.name) for record in records}
    found: dict[int, StoredType] = {}
    taken: set[tuple[int, str, str]] = set()
    for record in records:
        decoded = _decode(record, names, problems)
        if decoded is not None:
            _give_version(decoded, taken, problems)
            found[record.id] = decoded
    _add_system_types(found, taken)
    return found


def _text(cell: Any) -> str:
    return any_text(cell, "", Problems())


def _decode(record: TypeRecord, names: dict[int, str], problems: Problems) -> StoredType | None:
    where = f"type {record.id}"
    kind = BY_NUMBER.get(record.kind)
    if kind is None or record.id not in _KEPT:
        problems.add(
            where,
            f"is of the unknown kind {record.kind}, or its id is not one that a store gives out",
            "it is left out",
        )
        return None
    message = kind.type_message(id=record.id, name=key_text(record.name, where, problems))
    if record.version:
        message.version = key_text(record.version, f"{where}, version", problems)
    if record.description is not None:
        message.description = any_text(record.description, f"{where}, description", problems)
    if record.external_id is not None:
        _set_external_id(message, record.external_id, where, problems)
    for name in _STRUCTURES:
        _set_structure(message, name, getattr(record, name), where, problems)
    for name, number in record.properties:
        _declare(message, name, number, where, problems)
    _set_base_type(kind, message, [names.get(parent) for parent in record.parents], problems)
    return StoredType(kind, message)


def _set_external_id(message: Any, cell: Any, where: str, problems: Problems) -> None:
    external_id = key_text(cell, f"{where}, external id", problems)
    if external_id:
        message.external_id = external_id
    else:
        problems.add(where, "has an empty external id", "it has none now")


def _set_structure(message: Any, name: str, cell: Any, where: str, problems: Problems) -> None:
    if not cell or name not in message.DESCRIPTOR.fields_by_name:
        return
    text = any_text(cell, f"{where}, {name}", problems)
    try:
        getattr(message, name).CopyFrom(json_format.Parse(text, pb.ArtifactStructType()))
    except (json_format.ParseError, RecursionError):
        problems.add(f"{where}, {name}", "can't be decoded", "it is left out")


def _declare(message: Any, name: Any, number: Any, where: str, problems: Problems) -> None:
    property_name = key_text(name, f"{where}, a property's name", problems)
    if number in pb.PropertyType.values() and number != pb.UNKNOWN:
        message.properties[property_name] = number
    else:
        what = f"is declared with the unknown kind of value {number}"
        problems.add(f"{where}, property {property_name!r}", what, "it is not declared now")


def _set_base_type(
    kind: NodeKind, message: Any, parents: list[str | None], problems: Problems
) -> None:
    numbers = {name: number for number, name in kind.system_types.items()}
    for parent in parents:
        if parent in numbers and not message.base_type:
            message.base_type = numbers[parent]
        else:
            what = f"has the parent type {parent!r}, which is no system type or not the first"
            problems.add(f"type {message.id}", what, "that tie is left out")


def _give_version(found: StoredType, taken: set[tuple[int, str, str]], problems: Problems) -> None:
    """Tell a type apart from an earlier one of the same kind, name and version."""
    message = found.message
    if (found.kind.number, message.name, message.version) in taken:
        before = f"version {message.version!r}" if message.version else "no version"
        message.version = f"duplicate-{message.id}"
        what = f"is another {found.kind.name} type named {message.name!r} with {before}"
        problems.add(f"type {message.id}", what, f"it has version {message.version!r} now")
    taken.add((found.kind.number, message.name, message.version))


def _add_system_types(found: dict[int, StoredType], taken: set[tuple[int, str, str]]) -> None:
    following = max([*found, FIRST_USER_TYPE - 1]) + 1 if found else 1
    for kind in KINDS:
        for name in kind.system_types.values():
            if (kind.number, name, "") not in taken:
                found[following] = StoredType(kind, kind.type_message(id=following, name=name))
                following += 1
