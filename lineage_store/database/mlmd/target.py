"""A database of ML Metadata that is written from nothing, as ML Metadata itself would make it."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from types import ModuleType
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, inspect

from lineage_store import errors
from lineage_store.database.connection import Connection, ConstraintViolated, Driver, Row
from lineage_store.database.drivers.inserts import in_few_sizes
from lineage_store.database.drivers.mysql_numbers import Plain
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.mlmd.source import is_lower_case
from lineage_store.database.mlmd.tables import CURRENT, MlmdTables
from lineage_store.database.schema import revisions as schema
from lineage_store.database.sizes import LostInLargeStatement
from lineage_store.database.tables import COLLATIONS
from lineage_store.limits import UNBOUNDED

UNFINISHED = Table("lineage_store_export", MetaData(), Column("id", Integer, primary_key=True))
"""A table that is there as long as an export is not finished."""

_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)


def _bytes_of(value: str) -> int:
    return len(value.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The bounds of ML Metadata's columns on one database; None: any length.

    Attributes:
        ints: Integers of properties and of path steps, and ids.
        has_infinity: Whether there are infinite numbers.
        measure: The length of a text as the database counts it.
        name: The longest name, version or external id.
        text: The longest uri, description or key of a path step.
        long_text: The longest string of a property; also as much as one row takes.
    """

    ints: range
    has_infinity: bool = False
    measure: Callable[[str], int] = len
    name: int | None = None
    text: int | None = None
    long_text: int | None = None


_MYSQL = Capacity(ints=_INT32, measure=_bytes_of, name=255, text=2**16 - 1, long_text=2**24 - 1)
_CAPACITIES = {
    "sqlite": Capacity(ints=_INT64, has_infinity=True),
    "postgresql": Capacity(ints=_INT32, name=255),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}
Item = tuple[Row, Sequence[Row]]
"""A row, and the rows of another table that belong to it."""

Refused = tuple[int, int | None]
"""The place of an item, and of one of its rows in the other table; None: the item as a whole."""


class MlmdTarget:
    """A new database of ML Metadata; ML Metadata opens it from `finish` on.

    Args:
        url: The database: missing, empty, or left by an export that did not end, which begins anew.

    Attributes:
        tables: Its tables.
        capacity: The bounds of its columns.

    Raises:
        FailedPrecondition: The database holds something.
        LineageError: It can't be used, and why.
    """

    def __init__(self, url: str) -> None:
        self._driver = driver_for(url)
        self._raw = self._driver.connect()
        self.tables = MlmdTables(lower_case=is_lower_case(self._driver))
        self._is_postgresql = is_lower_case(self._driver)
        capacity = _CAPACITIES[self._driver.dialect.name]
        self.capacity = replace(
            capacity,
            long_text=min(capacity.long_text or UNBOUNDED, self._driver.max_row_bytes),
        )
        try:
            with schema.translated(self._driver):
                self._create()
                if self._is_postgresql:
                    _postgresql().write_plain(self._raw)
                    _postgresql().create_steps(self._raw)
        except BaseException:
            self._driver.close(self._raw)
            raise
        self._connection = Connection(self._raw, self._driver)

    def write(self, main: Table, items: Sequence[Item], side: Table | None = None) -> list[Refused]:
        """Write rows, together if the database takes them all, else one by one.

        Returns:
            The rows that the database refused: for a name that it can't tell from another, or a
            text that is too long for an index.
        """
        sides = [row for _, rows in items for row in rows]
        if self._takes((main, [row for row, _ in items]), (side, sides)):
            return []
        return [
            refused for at, item in enumerate(items) for refused in self._one(at, item, main, side)
        ]

    def finish(self) -> None:
        """Give the database its schema version, by which ML Metadata knows it."""
        with self._batch():
            self._insert(self.tables.environment, [(CURRENT,)])
            if self._is_postgresql:
                _postgresql().order_steps(self._raw)
                _postgresql().advance_ids(self._raw, self.tables.numbered)
        with schema.translated(self._driver), schema.writing(self._driver, self._raw) as core:
            UNFINISHED.drop(core)

    def close(self) -> None:
        """Close the connection; an export that is not finished is begun anew by the next one."""
        self._driver.close(self._raw)

    def _create(self) -> None:
        with schema.writing(self._driver, self._raw) as core:
            names = set(inspect(core).get_table_names())
            if UNFINISHED.name in names:
                for table in self.tables.all:
                    table.drop(core, checkfirst=True)
            elif names:
                raise errors.FailedPrecondition(
                    "the target holds tables already; ids are kept, so it must be empty"
                )
            else:
                UNFINISHED.create(core)
            for statement in _definition(self._driver):
                core.exec_driver_sql(statement)

    def _one(self, at: int, item: Item, main: Table, side: Table | None) -> Iterator[Refused]:
        row, rows = item
        if not self._takes((main, [row])):
            yield (at, None)
        elif not self._takes((side, rows)):
            for number, one in enumerate(rows):
                if not self._takes((side, [one])):
                    yield (at, number)

    def _takes(self, *parts: tuple[Table | None, Sequence[Row]]) -> bool:
        """Write rows in one transaction; return whether the database took them."""
        try:
            with self._batch():
                for table, rows in parts:
                    if table is not None:
                        self._insert(table, rows)
        except (ConstraintViolated, errors.InvalidArgument):
            return False
        return True

    @contextmanager
    def _batch(self) -> Iterator[None]:
        with schema.translated(self._driver):
            self._driver.begin_schema_change(self._raw)
        try:
            yield
            self._connection.commit()
        except BaseException as error:
            with suppress(errors.Unavailable):  # a connection that was lost is rolled back already
                self._connection.rollback()
            if isinstance(error, LostInLargeStatement):
                raise errors.FailedPrecondition(error.message) from error
            raise

    def _insert(self, table: Table, rows: Sequence[Row]) -> None:
        if self._is_postgresql and table is self.tables.event_paths:
            table = _postgresql().STEPS
        for part in in_few_sizes(rows):
            self._connection.insert(table, [tuple(map(self._cell, row)) for row in part])

    def _cell(self, value: object) -> Any:  # noqa: ANN401 - as the driver takes it
        """Return a value as the database keeps it: protos come in base64; for texts see `texts`."""
        name = self._driver.dialect.name
        if isinstance(value, bytes) and name == "sqlite":
            return value.decode("ascii")
        if isinstance(value, bytes) and name == "postgresql":
            return b64decode(value)
        if name in COLLATIONS and isinstance(value, float):
            return Plain(value)
        return value.encode() if isinstance(value, str) and name in COLLATIONS else value


def _definition(driver: Driver) -> list[str]:
    """Return the statements that create the tables and indexes."""
    name = "mysql" if driver.dialect.name == "mariadb" else driver.dialect.name
    script = files("lineage_store.database.mlmd").joinpath("ddl", f"{name}.sql").read_text()
    return [statement for statement in script.split(";\n") if statement.strip()]


def _postgresql() -> ModuleType:
    from lineage_store.database.mlmd import postgresql  # noqa: PLC0415 - needs an extra

    return postgresql
