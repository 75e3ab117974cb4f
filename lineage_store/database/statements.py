"""Statements: written in SQLAlchemy Core, compiled once, run on the driver.

Executing Core costs several times what a point read costs, so every statement of the store is
compiled to the SQL of its dialect the first time and then handed to the driver with its values.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import CTE, Column, Dialect, bindparam, column, values
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.elements import BindParameter

from lineage_store import errors

MAX_VALUES = 8192
"""Values in one IN list; a longer list is run in chunks."""

MAX_TEXT = 256 * 1024
"""Characters of the texts in one list; filled up, it has twice as many at most."""

Arguments = Sequence[Any] | dict[str, Any]

# Filling a list up to a power of two at most doubles it.
_NAMES = [f"v{i}" for i in range(2 * MAX_VALUES)]


def slots(count: int) -> list[BindParameter[Any]]:
    """Return the placeholders of an IN list of `count` values."""
    return [bindparam(name) for name in _NAMES[:count]]


def keys_table(columns: Sequence[Column[object]], count: int) -> CTE:
    """Return `count` tuples of placeholders as a table "wanted", to be joined on `columns`.

    A join with a table of values looks each tuple up in an index; SQLite scans the whole table
    for `(a, b) IN (...)`.
    """
    width = len(columns)
    names = slots(count * width)
    rows = [tuple(names[at : at + width]) for at in range(0, len(names), width)]
    table = values(*(column(c.name, c.type) for c in columns), name="wanted")
    return table.data(rows).cte("wanted")


def padded(count: int) -> int:
    """Return the length that a list of `count` values is filled up to.

    Only powers of two are compiled, so that a store sees a dozen texts of a statement and not one
    for each length.
    """
    return 1 << (count - 1).bit_length()


def _parts_by_text(items: Sequence[object], max_items: int) -> Iterator[Sequence[Any]]:
    """Yield a list in parts whose texts have MAX_TEXT characters together, one item at least.

    The first item of a part is its shortest: it is the one that a list is filled up with.

    Args:
        items: Texts, bytes, or tuples that have them all in the same places.
        max_items: The most items of a part.
    """
    lengths = _text_lengths(items)
    ordered: Sequence[int] = range(len(items))
    if sum(lengths) > MAX_TEXT:
        ordered = sorted(ordered, key=lengths.__getitem__)
    elif len(items) <= max_items:  # as a rule
        yield items
        return
    begin = size = 0
    for at, place in enumerate(ordered):
        size += lengths[place]
        if at > begin and (at - begin >= max_items or size > MAX_TEXT):
            yield [items[of] for of in ordered[begin:at]]
            begin, size = at, lengths[place]
    yield [items[of] for of in ordered[begin:]]


def _text_lengths(items: Sequence[Any]) -> list[int]:
    first = items[0]
    if isinstance(first, (str, bytes)):
        return list(map(len, items))
    places = [at for at, value in enumerate(first) if isinstance(value, (str, bytes))]
    if not places:
        return [0] * len(items)
    if len(places) == 1:
        [at] = places
        return [len(item[at]) for item in items]
    return [sum(len(item[at]) for at in places) for item in items]


class Statement:
    """One statement with fixed parameters."""

    def __init__(self, core: ClauseElement) -> None:
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    def render(self, dialect: Dialect, values: dict[str, Any]) -> tuple[str, Arguments]:
        """Return the SQL text for `dialect` and the arguments that go with it."""
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        if compiled.constants:
            values = compiled.constants | values
        if compiled.order is None:
            return compiled.text, values
        return compiled.text, [values[name] for name in compiled.order]

    def render_list(self, dialect: Dialect, slots: list[Any]) -> tuple[str, Arguments]:
        """Return what `render` does for the values of `slots` alone, in their order."""
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        if compiled.takes_slots_as_they_are:
            return compiled.text, slots
        return self.render(dialect, _named(slots))

    def _compile(self, dialect: Dialect) -> "_Compiled":
        try:
            compiled = self._core.compile(dialect=dialect)
        except RecursionError:  # no statement of our own is deep
            raise errors.InvalidArgument(
                "the filter is nested more deeply than can be written as SQL"
            ) from None
        constants = {
            name: bind.effective_value
            for name, bind in compiled.binds.items()  # type: ignore[attr-defined]
            if not bind.required
        }
        order: list[str] | None = getattr(compiled, "positiontup", None)
        as_they_are = not constants and order == _NAMES[: len(compiled.binds)]  # type: ignore[attr-defined]
        self._compiled[dialect.name] = _Compiled(str(compiled), order, constants, as_they_are)
        return self._compiled[dialect.name]


class _Compiled(NamedTuple):
    text: str
    order: list[str] | None  # names of the parameters, where the driver numbers them
    constants: dict[str, Any]  # literals of the statement itself
    takes_slots_as_they_are: bool  # the arguments are the values of a list, in its order


class ListStatement:
    """A statement over a list of values, built anew for each padded length.

    Args:
        build: Given a number of values, return the statement; `slots(n)` gives the placeholders.
        width: Values that each element of the list brings (more than 1 for a list of tuples).
    """

    def __init__(self, build: Callable[[int], ClauseElement], width: int = 1) -> None:
        self._build = build
        self._width = width
        self._at_once = MAX_VALUES // width
        self._sizes: dict[int, Statement] = {}

    def render(
        self, dialect: Dialect, items: Sequence[object], values: dict[str, Any]
    ) -> list[tuple[str, Arguments]]:
        """Return the SQL texts that together cover `items`, each with its arguments.

        Args:
            dialect: How SQL is written.
            items: The elements of the list.
            values: Those of the parameters beside the list.
        """
        if values:
            return [one.render(dialect, named | values) for one, named in self.chunks(items)]
        if 0 < len(items) <= self._at_once and isinstance(items[0], int):  # as a rule
            statement, slots = self._part(items)
            return [statement.render_list(dialect, slots)]
        return [one.render_list(dialect, slots) for one, slots in self._parts(items)]

    def chunks(self, items: Sequence[object]) -> list[tuple[Statement, dict[str, Any]]]:
        """Return the statements that together cover `items`, with the values of each."""
        return [(statement, _named(slots)) for statement, slots in self._parts(items)]

    def _parts(self, items: Sequence[object]) -> list[tuple[Statement, list[Any]]]:
        step = self._at_once
        if len(items) > 1 and not isinstance(items[0], int):
            return [self._part(part) for part in _parts_by_text(items, step)]
        return [self._part(items[at : at + step]) for at in range(0, len(items), step)]

    def _part(self, items: Sequence[Any]) -> tuple[Statement, list[Any]]:
        size = padded(len(items))
        filled = [*items, *[items[0]] * (size - len(items))]
        statement = self._sizes.get(size)
        if statement is None:
            statement = self._sizes[size] = Statement(self._build(size))
        return statement, filled if self._width == 1 else list(chain.from_iterable(filled))


def _named(slots: list[Any]) -> dict[str, Any]:
    return dict(zip(_NAMES, slots, strict=False))
