"""Artifacts by the digest of their content, found through the index over properties."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Select, literal, literal_column, select, union_all

from lineage_store.database import tables
from lineage_store.database.queries.snapshot import Body, Snapshot
from lineage_store.database.statements import ListStatement, slots
from lineage_store.kinds import ARTIFACT

_a = tables.nodes[ARTIFACT]
_p = tables.properties[ARTIFACT]


def _with_property(names: Sequence[str]) -> Select[Any]:
    """Return the query for artifacts with one of some properties, declared or custom."""
    return (
        select(_a.c.id, _a.c.body)
        .join(_p, _p.c.node_id == _a.c.id)
        .where(
            _p.c.name.in_([literal_column(f"'{name}'") for name in names]),
            _p.c.is_custom.in_([literal(value=False), literal(value=True)]),
        )
    )


@lru_cache(maxsize=8)
def _equal(names: tuple[str, ...]) -> ListStatement:
    query = _with_property(names)
    return ListStatement(lambda n: query.where(_p.c.string_value.in_(slots(n))))


@lru_cache(maxsize=8)
def _between(names: tuple[str, ...]) -> ListStatement:
    """Return the statement for texts in ranges: a query for each, or no index would be used."""
    query = _with_property(names)

    def build(count: int) -> ClauseElement:
        bounds = slots(2 * count)
        return union_all(
            *(
                query.where(_p.c.string_value >= low, _p.c.string_value < high)
                for low, high in zip(bounds[::2], bounds[1::2], strict=True)
            )
        )

    return ListStatement(build, width=2)


def artifacts_with(
    snapshot: Snapshot, names: Sequence[str], texts: Sequence[str], *, as_prefix: bool
) -> list[Body]:
    """Return the artifacts one of whose properties has one of some texts, ordered by id.

    Args:
        snapshot: Where to look.
        names: Of the properties, each letters, digits and `_`.
        texts: Short enough to be indexed whole.
        as_prefix: A property need only begin with one of the texts, and go on with digits or the
            letters up to f.
    """
    snapshot.demand_index()
    if as_prefix:
        ranges = [(text, f"{text}g") for text in texts]
        rows = snapshot.connection.rows_of(_between(tuple(names)), ranges)
    else:
        rows = snapshot.connection.rows_of(_equal(tuple(names)), list(texts))
    bodies: dict[int, Body] = dict(rows)
    return [body for _, body in sorted(bodies.items())]
