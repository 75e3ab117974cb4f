"""Nodes, types and events as JSON, and as plain text for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import click

from lineage_store.entities.plain import plain, printable
from lineage_store.entities.tables import cell


def echo_json(value: object, *, on_one_line: bool = False) -> None:
    """Print a dataclass, or a list of them, as JSON."""
    indent = None if on_one_line else 2
    click.echo(json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False))


def echo_table(columns: Sequence[str], items: Sequence[object], *, err: bool = False) -> None:
    """Print the fields `columns` of each item, aligned, under their names."""
    rows = [[column.removesuffix("_ms").replace("_", " ").upper() for column in columns]]
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
