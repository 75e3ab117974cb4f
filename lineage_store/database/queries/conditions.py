"""Conditions: compiled filters, by which statements are narrowed to some nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select

from lineage_store.database import tables

_PROPERTIES = frozenset(tables.properties.values())


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A condition without its values; one object for all conditions of the same form.

    Attributes:
        joins: The tables that are joined with that of the node, each with its ON clause.
        holds: The condition that must hold; values are parameters.
        repeats: Whether the joins may bring a node more than once.
        reads_properties: Whether it joins the index over properties.
    """

    joins: tuple[tuple[FromClause, ColumnElement[bool]], ...]
    holds: ColumnElement[bool]
    repeats: bool
    reads_properties: bool = field(init=False)

    def __post_init__(self) -> None:
        reads = any(getattr(table, "element", None) in _PROPERTIES for table, _ in self.joins)
        object.__setattr__(self, "reads_properties", reads)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the nodes of a kind.

    Attributes:
        shape: The form of the condition.
        values: The values of its parameters.
        seconds: The time that the database may work on it; None: no limit.
    """

    shape: Shape
    values: Mapping[str, Any]
    seconds: float | None = None


def narrowed(core: Select[Any], source: FromClause, shape: Shape, key: Any) -> Select[Any]:
    """Return a query for those rows for which a condition holds, each row once.

    Args:
        core: The query.
        source: The FROM clause, the table of the node included.
        shape: The form of the condition.
        key: The primary key of the node.
    """
    joined = reduce(lambda left, join: left.join(*join), shape.joins, source)
    core = core.select_from(joined).where(shape.holds)
    # Every other column depends on the key, so grouping by it alone is enough, and no body is
    # compared with another.
    return core.group_by(key) if shape.repeats else core
