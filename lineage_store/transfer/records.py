"""Rows as records of an archive, and records as rows, which are checked like any hostile input.

A record has the fields that its body lacks. The other columns, and the indexes, follow from the
body.
"""

from collections.abc import Mapping
from typing import Any

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.index_rows import message_of
from lineage_store.database.bulk.store_contents import StoredTable
from lineage_store.database.bulk.values import check_text, check_value
from lineage_store.database.checks.bodies import columns_from_body, message_class
from lineage_store.database.connection import Row
from lineage_store.database.tables import bytes_columns_of, columns_of
from lineage_store.kinds import BY_NUMBER, KINDS
from lineage_store.limits import MAX_NAME
from lineage_store.transfer import bodies

Fields = dict[str, Any]
"""Values of columns by name: those that a record has."""

_FIELDS = {
    "types": ("kind", "recorded_at", "revision", "body"),
    "events": ("id", "recorded_at", "body"),
    **dict.fromkeys((kind.plural for kind in KINDS), ("revision", "recorded_at", "body")),
}
_WITH_COMMITS = 2
"""The first version of the format whose archives have commits."""

_KIND_NUMBERS = {kind.name: kind.number for kind in KINDS}


def fields_of(table: StoredTable) -> tuple[str, ...]:
    """Return the columns that a record has."""
    return _FIELDS.get(table.name) or tuple(columns_of(table))


def to_record(table: StoredTable, row: Row) -> dict[str, Any]:
    """Return a row in terms of JSON, byte for byte."""
    values = dict(zip(columns_of(table), row, strict=True))
    record = {name: _plain(name, values[name]) for name in fields_of(table) if name != "body"}
    if "body" in values:
        record |= bodies.to_json(message_class(table, values), values["body"])
    return record


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401 - a cell of any type
    if name == "kind":
        return BY_NUMBER[value].name
    return value.hex() if isinstance(value, bytes) else value


def from_record(table: StoredTable, record: dict[str, Any]) -> Fields:
    """Return the fields of a record of JSON, its values not checked yet.

    Raises:
        InvalidArgument: It is malformed.
    """
    fields = {name: value for name, value in record.items() if not name.startswith("body")}
    try:
        if "kind" in fields:
            fields["kind"] = _KIND_NUMBERS[fields["kind"]]
        for name in bytes_columns_of(table) & fields.keys() - {"body"}:
            fields[name] = bytes.fromhex(fields[name])
    except (KeyError, TypeError, ValueError):
        raise errors.InvalidArgument("its kind, or its bytes, are malformed") from None
    if "body" in fields_of(table):
        body_class = message_class(table, fields)
        if body_class is None:
            raise errors.InvalidArgument("its kind is missing")
        fields["body"] = bodies.from_json(body_class, record)
    return fields


def to_row(table: StoredTable, fields: Mapping[str, object], version: int) -> Row:
    """Return the row that the fields of a record make.

    Args:
        table: Its table.
        fields: Its fields.
        version: Of the format of the archive.

    Raises:
        InvalidArgument: One is missing, is not known, or is not what its column can hold; or the
            body can't be read or says otherwise.
    """
    expected = fields_of(table)
    if version < _WITH_COMMITS:
        fields = _completed(table, fields)
    if fields.keys() != set(expected):
        odd = sorted(fields.keys() ^ set(expected), key=str)[0]
        state = "not known" if odd in fields else "missing"
        raise errors.InvalidArgument(f"{str(odd)[:MAX_NAME]} is {state}")
    values = dict(fields)
    for name in expected:
        check_value(table.c[name], values[name])
    if "body" in values:
        values = _with_columns_of_body(table, values)
    return tuple(values[name] for name in columns_of(table))


def _completed(table: StoredTable, fields: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields of a record of version 1 with those that it lacks."""
    if table in {tables.types, tables.artifact_reports}:
        return {"revision": 1, **fields}
    if table is tables.cache_entries:
        invalidated_at = fields.get("invalidated_at")
        stamp = invalidated_at * 1_000 if isinstance(invalidated_at, int) else None
        return {"invalidation_recorded_at": stamp, **fields}
    return fields


def _with_columns_of_body(table: StoredTable, values: Fields) -> Fields:
    try:
        body_class = message_class(table, values)
        if body_class is None:
            raise errors.InvalidArgument(f"there is no kind {values['kind']}")
        message = message_of(body_class, values["body"], "the record")
    except errors.DataLoss as error:
        raise errors.InvalidArgument(error.message) from None
    check_text(message)
    from_body = columns_from_body(table, values, message)
    for name, value in from_body.items():
        if values.get(name, value) != value:
            raise errors.InvalidArgument(f"{name} is not what its body says")
        check_value(table.c[name], value)
    if table.name == "types" and not message.name:
        raise errors.InvalidArgument("a type must have a name")
    for field in ("properties", "custom_properties", "output_parameters"):
        for name in getattr(message, field, ()):
            if len(name) > MAX_NAME:
                raise errors.InvalidArgument(f"the name of a property is beyond {MAX_NAME}")
    return values | from_body
