"""Checks of property values against the type that declares them."""

from collections.abc import Iterable
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
    tx: Transaction, type_id: int, values: Any, names: Iterable[str] | None = None
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
    declared = _declared(tx, type_id, values)
    chosen = values if names is None else [name for name in names if name in values]
    try:
        _check_declared(values, chosen, declared)
    except errors.InvalidArgument:
        # A map of protobuf has no order: the error of the first name in the alphabet is raised.
        _check_declared(values, sorted(chosen, key=repr), declared)
        raise


def _check_declared(values: Any, names: Iterable[str], declared: dict[str, int]) -> None:
    for name in names:
        value = values[name]
        found = value.WhichOneof("value")
        if found is None or found != _FIELD_OF.get(declared.get(name)):
            raise _misfit(name, found, declared.get(name))
        if found == "string_value" and not isinstance(value.string_value, str):
            text(f"properties[{name!r}]", value.string_value)


def check_custom(values: Any, names: Iterable[str] | None = None) -> None:
    """Check that each custom property has a value.

    Raises:
        InvalidArgument: One has none.
    """
    chosen = values if names is None else [name for name in names if name in values]
    try:
        _check_custom(values, chosen)
    except errors.InvalidArgument:  # as in `check_declared`
        _check_custom(values, sorted(chosen, key=repr))
        raise


def _check_custom(values: Any, names: Iterable[str]) -> None:
    for name in names:
        bounded("the name of a custom property", name)
        value = values[name]
        if value.WhichOneof("value") is None:
            raise errors.InvalidArgument(f"custom_properties[{name!r}] has no value")
        if not isinstance(value.string_value, str):
            text(f"custom_properties[{name!r}]", value.string_value)


def _declared(tx: Transaction, type_id: int, values: Any) -> dict[str, int]:
    known = tx.types.declared(type_id)
    if known is not None and all(map(known.declared.__contains__, values)):
        return known.declared
    fresh = tx.types.fresh(type_id)  # another process may have added properties
    if fresh is None:
        raise errors.NotFound(f"there is no type with id {type_id}")
    return fresh.declared


def _misfit(name: str, found: str | None, declared: int | None) -> errors.InvalidArgument:
    """Return an error that begins as that of ML Metadata, by which programs know it."""
    if declared is None:
        return errors.InvalidArgument(
            f"Found unknown property: {name}; the type does not declare properties[{name!r}]"
        )
    return errors.InvalidArgument(
        f"Found unmatched property type: {name}; properties[{name!r}] must have "
        f"{_FIELD_OF[declared]}, not {found or 'no value'}"
    )
