"""The schema of a store: created on the first start, checked on every other, upgraded on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, String, Table, create_engine, insert, inspect, select
from sqlalchemy.engine import Connection as CoreConnection
from sqlalchemy.engine import Engine as CoreEngine
from sqlalchemy.pool import StaticPool

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.sqlite import SqliteDriver
from lineage_store.database.types import COLUMNS, type_row
from lineage_store.kinds import KINDS, NodeKind

HEAD = "0003"
"""The revision that this software reads and writes."""

REVISION_TABLE = "lineage_store_revision"
FIRST_USER_TYPE = 10

revision_table = Table(
    REVISION_TABLE, tables.metadata, Column("version_num", String(32), primary_key=True)
)


def system_types() -> list[tuple[NodeKind, Any]]:
    """Return the nine types that every store has, with ids 1 to 9."""
    named = [(kind, name) for kind in KINDS for name in kind.system_types.values()]
    return [
        (kind, kind.type_message(id=number, name=name))
        for number, (kind, name) in enumerate(named, start=1)
    ]


def initial_rows() -> dict[Table, list[dict[str, Any]]]:
    """Return the rows of an empty store."""
    others = [*(kind.plural for kind in KINDS), "events", "cache_entries"]
    counts = {"types": FIRST_USER_TYPE, **dict.fromkeys(others, 1)}
    return {
        tables.counters: [{"name": name, "next_id": first} for name, first in counts.items()],
        tables.types: [
            dict(zip(COLUMNS, type_row(kind, message), strict=True))
            for kind, message in system_types()
        ],
        revision_table: [{"version_num": HEAD}],
    }


@contextmanager
def translated(driver: SqliteDriver) -> Iterator[None]:
    """Raise errors of the driver, also those that SQLAlchemy wraps, as what they mean."""
    try:
        yield
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        meaning = driver.translate(cause)
        if meaning is cause:
            raise
        raise meaning from error


def core_engine(raw: Any) -> CoreEngine:
    """Return a SQLAlchemy engine over one open driver connection."""
    return create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)


@contextmanager
def writing(driver: SqliteDriver, raw: Any) -> Iterator[CoreConnection]:
    """Give a SQLAlchemy connection within one transaction that holds the write lock."""
    with core_engine(raw).connect() as connection:
        # Only now: the first connection of an engine rolls back what was begun before.
        driver.begin(raw, write=True)
        try:
            yield connection
            raw.commit()
        except BaseException:
            raw.rollback()
            raise


def current_revision(connection: CoreConnection) -> str | None:
    """Return the revision of a database, or None if it has no tables at all.

    Raises:
        NotOurDatabase: It has tables, but none of ours.
    """
    names = inspect(connection).get_table_names()
    if REVISION_TABLE in names:
        found: str = connection.execute(select(revision_table.c.version_num)).scalar_one()
        return found
    if not names:
        return None
    if "MLMDEnv" in names:
        raise errors.NotOurDatabase(
            "this is a database of ML Metadata, which another program may be using; "
            "choose another name for the lineage store"
        )
    raise errors.NotOurDatabase("the database has tables that are not of a lineage store")


def create(connection: CoreConnection) -> None:
    """Create the tables and first rows of an empty store."""
    tables.metadata.create_all(connection)
    for table, rows in initial_rows().items():
        connection.execute(insert(table), rows)


def open_or_create(driver: SqliteDriver, raw: Any) -> None:
    """Check that a database can be used, and create the store in an empty one.

    Two processes that open the same empty database are told apart by the write lock.

    Raises:
        NotOurDatabase: It holds something else.
        SchemaMismatch: It was made by another revision.
        LineageError: It can't be read or written, and why.
    """
    with translated(driver):
        if not _usable(raw):
            _create_where_empty(driver, raw)


def _create_where_empty(driver: SqliteDriver, raw: Any) -> None:
    if driver.mode == "ro":
        raise errors.FailedPrecondition("the database is empty and may only be read")
    if driver.path is not None:
        driver.use_write_ahead_log()
    with writing(driver, raw) as connection:
        if current_revision(connection) is None:
            create(connection)
    _usable(raw)


def _usable(raw: Any) -> bool:
    with core_engine(raw).connect() as connection:
        revision = current_revision(connection)
    if revision is not None:
        check_revision(revision)
    return revision is not None


def check_revision(revision: str) -> None:
    """Raise SchemaMismatch unless `revision` is ours, and say what to do."""
    if revision == HEAD:
        return
    check_known(revision)
    raise errors.SchemaMismatch(
        f"the database has revision {revision}, this version needs {HEAD}: "
        "back it up and run `lineage-store db upgrade`"
    )


def check_known(revision: str) -> None:
    """Raise SchemaMismatch if `revision` is of a newer version than this."""
    from lineage_store.database.migrations import known_revisions  # noqa: PLC0415 - slow, rare

    if revision not in known_revisions():
        raise errors.SchemaMismatch(
            f"the database has revision {revision}, which this version does not know: "
            "it was made by a newer lineage-store; upgrade this one"
        )
