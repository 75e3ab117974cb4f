"""Checks of property values against the type that declares them."""

from collections.abc import Iterable, Mapping
from typing import Any

from lineage_store import errors
from lineage_store.database.transaction import Transaction
from lineage_store.engine.requests import bounded, text
from lineage_store.v1 import metadata_pb2 as pb

_FIELD_OF: dict[int | None, str] = {
    pb.INT: "int_value",
    pb.DOUBLE: "double_value",
    pb.STRING: "string_value",
    pb.STRUCT: "struct_value",
    pb.PROTO: "proto_value",
    pb.BOOLEAN: "bool_value",
}


def check_declared(
    tx: Transaction,
    type_id: int,
    values: Mapping[str, pb.Value],
    names: Iterable[str] | None = None,
) -> None:
    """Check that a type declares these properties, each with the kind of value it has.

    Args:
        tx: The transaction.
        type_id: The type.
        values: The map of properties.
        names: Check only these, where they are in the map; None: all.

    Raises:
        InvalidArgument: A property is not declared or has another kind of value.
        NotFound: There is no such type.
    """
    if not values:
        return
    value_kinds = _value_kinds(tx, type_id, values)
    checked_names = values if names is None else [name for name in names if name in values]
    try:
        _check_declared(values, checked_names, value_kinds)
    except errors.InvalidArgument:
        # A map of protobuf has no order: the error of the first name in the alphabet is raised.
        _check_declared(values, sorted(checked_names, key=repr), value_kinds)
        raise


def _check_declared(
    values: Mapping[str, pb.Value], names: Iterable[str], value_kinds: dict[str, int]
) -> None:
    for name in names:
        value: Any = values[name]  # its text may be bytes
        value_field = value.WhichOneof("value")
        if value_field is None or value_field != _FIELD_OF.get(value_kinds.get(name)):
            raise _mismatch(name, value_field, value_kinds.get(name))
        if value_field == "string_value" and not isinstance(value.string_value, str):
            text(f"properties[{name!r}]", value.string_value)


def check_custom(values: Mapping[str, pb.Value], names: Iterable[str] | None = None) -> None:
    """Check that each custom property has a value.

    Raises:
        InvalidArgument: One has none.
    """
    checked_names = values if names is None else [name for name in names if name in values]
    try:
        _check_custom(values, checked_names)
    except errors.InvalidArgument:  # as in `check_declared`
        _check_custom(values, sorted(checked_names, key=repr))
        raise


def _check_custom(values: Mapping[str, pb.Value], names: Iterable[str]) -> None:
    for name in names:
        bounded("the name of a custom property", name)
        value: Any = values[name]  # its text may be bytes
        if value.WhichOneof("value") is None:
            raise errors.InvalidArgument(f"custom_properties[{name!r}] has no value")
        if not isinstance(value.string_value, str):
            text(f"custom_properties[{name!r}]", value.string_value)


def _value_kinds(tx: Transaction, type_id: int, values: Mapping[str, pb.Value]) -> dict[str, int]:
    stored_type = tx.types.cached(type_id)
    if stored_type is not None and all(map(stored_type.property_kinds.__contains__, values)):
        return stored_type.property_kinds
    fresh_type = tx.types.read(type_id)  # another process may have added properties
    if fresh_type is None:
        raise errors.NotFound(f"there is no type with id {type_id}")
    return fresh_type.property_kinds


def _mismatch(name: str, value_field: str | None, value_kind: int | None) -> errors.InvalidArgument:
    """Return an error that begins as that of ML Metadata, by which programs know it."""
    if value_kind is None:
        return errors.InvalidArgument(
            f"Found unknown property: {name}; the type does not declare properties[{name!r}]"
        )
    return errors.InvalidArgument(
        f"Found unmatched property type: {name}; properties[{name!r}] must have "
        f"{_FIELD_OF[value_kind]}, not {value_field or 'no value'}"
    )
