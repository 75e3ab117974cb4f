"""Nodes, types and events as JSON, and as plain text for people."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import click
from google.protobuf.any_pb2 import Any as AnyMessage

_TIMES = ("create_time", "update_time", "time")


def echo_json(value: Any) -> None:
    """Print a dataclass, or a list of them, as JSON."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a value in terms of JSON; NaN and the infinities are text, bytes are base64."""
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, AnyMessage):
        return {"type_url": value.type_url, "value": base64.b64encode(value.value).decode()}
    return value


def echo_table(columns: Sequence[str], items: Sequence[Any]) -> None:
    """Print the fields `columns` of each item, aligned, under their names."""
    rows = [[column.replace("_", " ").upper() for column in columns]]
    rows += [[cell(column, getattr(item, column)) for column in columns] for item in items]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def echo_item(item: Any) -> None:
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


def cell(name: str, value: Any) -> str:
    """Return the value of a field as one line of text."""
    if value is None:
        return "-"
    if name in _TIMES and isinstance(value, int):
        return _time(value)
    if isinstance(value, str):
        return printable(value)
    return printable(json.dumps(plain(value), ensure_ascii=False))


def printable(text: str) -> str:
    """Return a text without line breaks and what else would upset a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _time(milliseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
