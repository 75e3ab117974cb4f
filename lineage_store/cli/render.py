"""Nodes, types and events as JSON, and as plain text for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import click

from lineage_store.entities.plain import plain, printable

_TIMES = {
    "create_time",
    "update_time",
    "time",
    "published_at",
    "oldest",
    "started_at",
    "heard_of_at",
    "expires_at",
    "last_hit_at",
    "invalidated_at",
}


def echo_json(value: object) -> None:
    """Print a dataclass, or a list of them, as JSON."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def echo_table(columns: Sequence[str], items: Sequence[object], *, err: bool = False) -> None:
    """Print the fields `columns` of each item, aligned, under their names."""
    rows = [[column.replace("_", " ").upper() for column in columns]]
    rows += [[cell(column, getattr(item, column)) for column in columns] for item in items]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        click.echo("  ".join(padded).rstrip(), err=err)


def echo_item(item: Any) -> None:  # noqa: ANN401 - any dataclass
    """Print every field of an item that is set, one a line, and those of its maps indented."""
    shown = {field.name: getattr(item, field.name) for field in fields(item)}
    shown = {name: value for name, value in shown.items() if value not in (None, {}, ())}
    width = max(map(len, shown)) + 1
    for name, value in shown.items():
        if not isinstance(value, Mapping):
            click.echo(f"{name + ':':{width}} {cell(name, value)}")
            continue
        click.echo(f"{name}:")
        for key in sorted(value):
            click.echo(f"  {printable(key)} = {cell(key, value[key])}")


def cell(name: str, value: object) -> str:
    """Return the value of a field as one line of text."""
    if value is None:
        return "-"
    if name in _TIMES and isinstance(value, int):
        return _time(value)
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, PurePath):
        return printable(str(value))
    return printable(json.dumps(plain(value), ensure_ascii=False))


def _time(milliseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
