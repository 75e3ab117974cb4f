"""The schema of a store: created on the first start, checked on every other, upgraded on demand."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Column,
    Dialect,
    String,
    Table,
    create_mock_engine,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import Connection as CoreConnection
from sqlalchemy.exc import DBAPIError

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.clock import now_us
from lineage_store.database.commits import Commit, CommitPoint, commit_row
from lineage_store.database.connection import Driver
from lineage_store.database.facts import FactKey, FactKind
from lineage_store.database.staging.types import type_row
from lineage_store.database.tables import columns_of
from lineage_store.kinds import KINDS, NodeKind

logger = logging.getLogger(__name__)

HEAD = "0007"
"""The revision that this software reads and writes."""

CREATION_SECONDS = 30.0
"""Seconds to wait for another process that creates the store."""

FILLING = "filling-"
"""The prefix of the mark that replaces the revision during a bulk load; see `bulk_load.py`."""

COUNTERS = ("types", *(kind.plural for kind in KINDS), "events", "cache_entries")
"""The sequences of ids."""

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
    counts = dict.fromkeys(COUNTERS, 1) | {"types": FIRST_USER_TYPE}
    stamp = now_us()
    return {
        tables.counters: [{"name": name, "next_id": first} for name, first in counts.items()],
        tables.types: [
            dict(zip(columns_of(tables.types), type_row(kind, message, stamp), strict=True))
            for kind, message in system_types()
        ],
        tables.writers: [
            {"id": tables.TURNS, "turn": 0, "recorded_at": stamp, "seq": 1, "name": ""}
        ],
        tables.commits: [_first_commit(stamp)],
        revision_table: [{"version_num": HEAD}],
    }


def _first_commit(stamp: int) -> dict[str, Any]:
    """Return the commit of the types that every store has."""
    keys: list[FactKey] = [(int(message.id), 1) for _, message in system_types()]
    commit = Commit(CommitPoint(stamp, 1), tables.BACKFILL, stamp)
    return dict(
        zip(columns_of(tables.commits), commit_row(commit, {FactKind.TYPE: keys}), strict=True)
    )


@contextmanager
def translated(driver: Driver) -> Iterator[None]:
    """Raise errors of the driver, also those that SQLAlchemy wraps, as errors of ours."""
    try:
        yield
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        meaning = driver.translate(cause)
        if meaning is cause:
            raise
        raise meaning from error


@contextmanager
def writing(driver: Driver, raw: Any) -> Iterator[CoreConnection]:  # noqa: ANN401 - the driver's own
    """Give a SQLAlchemy connection within one transaction that holds the write lock."""
    with driver.core_engine(raw).connect() as connection:
        # Only now: the first connection of an engine rolls back a transaction begun before.
        driver.begin_schema_change(raw)
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
        # No row: a creation that was cut off, where tables are not made in one transaction.
        return connection.execute(select(revision_table.c.version_num)).scalar_one_or_none()
    if not names:
        return None
    if "MLMDEnv" in names:
        raise errors.NotOurDatabase(
            "this is a database of ML Metadata, which another program may be using; "
            "choose another name for the lineage store"
        )
    raise errors.NotOurDatabase("the database has tables that are not of a lineage store")


def create(connection: CoreConnection, *, finish: bool = False) -> None:
    """Create the tables and first rows of an empty store; the revision comes last.

    Where tables are not made in one transaction, whoever makes the first of them makes them all.

    Args:
        connection: Where.
        finish: Go on where another creation was cut off.
    """
    if finish:
        revision_table.create(connection, checkfirst=True)
        tables.metadata.create_all(connection)
        for table in initial_rows():
            connection.execute(delete(table))
    else:
        for statement in _creation(connection.dialect):
            connection.exec_driver_sql(statement)
    for table, rows in initial_rows().items():
        connection.execute(insert(table), rows)


_creations: dict[tuple[str, Any], list[str]] = {}


def _creation(dialect: Dialect) -> list[str]:
    """Return the statements that create all tables; to compile them takes longer than to run."""
    key = (dialect.name, dialect.server_version_info)
    if key not in _creations:
        statements: list[str] = []
        recorder = create_mock_engine(
            f"{dialect.name}+{dialect.driver}://",
            lambda element, *_: statements.append(str(element.compile(dialect=dialect))),
        )
        revision_table.create(recorder, checkfirst=False)
        others = [table for table in tables.metadata.sorted_tables if table is not revision_table]
        tables.metadata.create_all(recorder, others, checkfirst=False)
        _creations[key] = statements
    return _creations[key]


def open_or_create(driver: Driver, raw: object, *, finish: bool = False) -> None:
    """Check that a database can be used, and create the store in an empty one.

    Of several processes that open the same empty database one creates and the others wait.

    Args:
        driver: The driver of the database.
        raw: A connection to it.
        finish: Also create it where another process began to and did not end.

    Raises:
        NotOurDatabase: It holds something else.
        SchemaMismatch: It was made by another revision.
        LineageError: It can't be read or written, and why.
    """
    with translated(driver):
        if not _usable(driver, raw):
            _create_where_empty(driver, raw, finish=finish)


def open_existing(driver: Driver, raw: object) -> None:
    """Check that a database holds a store that can be used, and create none.

    Raises:
        FailedPrecondition: It is empty.
        NotOurDatabase: It holds something else.
        SchemaMismatch: It was made by another revision.
        LineageError: It can't be read, and why.
    """
    with translated(driver):
        if not _usable(driver, raw):
            raise errors.FailedPrecondition("the database is empty; there is no store in it")


def _create_where_empty(driver: Driver, raw: object, *, finish: bool) -> None:
    if not driver.may_create:
        raise errors.FailedPrecondition("the database is empty and may only be read")
    driver.prepare_new()
    deadline = time.monotonic() + CREATION_SECONDS
    while not _created(driver, raw, finish=finish):
        if time.monotonic() > deadline:
            raise errors.FailedPrecondition(
                "another process began to create the store and has not ended; if none is at "
                "work, `lineage-store db upgrade` finishes it"
            )
        time.sleep(0.1)


def _created(driver: Driver, raw: object, *, finish: bool) -> bool:
    """Create the store, unless another process does; return whether it can be used."""
    try:
        with writing(driver, raw) as connection:
            if current_revision(connection) is None:
                create(connection, finish=finish)
    except DBAPIError as error:
        logger.debug("another process creates the store: %s", type(error.orig).__name__)
    return _usable(driver, raw)


def _usable(driver: Driver, raw: object) -> bool:
    with driver.core_engine(raw).connect() as connection:
        revision = current_revision(connection)
    if revision is not None:
        check_revision(revision)
    return revision is not None


def check_revision(revision: str) -> None:
    """Raise SchemaMismatch with the remedy unless `revision` is ours."""
    if revision == HEAD:
        return
    check_known(revision)
    raise errors.SchemaMismatch(
        f"the database has revision {revision}, this version needs {HEAD}: "
        "back it up and run `lineage-store db upgrade`"
    )


def check_known(revision: str) -> None:
    """Raise SchemaMismatch if `revision` is of a newer version than this, or half of a store."""
    if revision.startswith(FILLING):
        raise errors.SchemaMismatch(
            "the database is being filled by an import, a copy or a load that has not ended; "
            "run the same command again to finish it"
        )
    from lineage_store.database.schema.migrations import known_revisions  # noqa: PLC0415 - slow, rare

    if revision not in known_revisions():
        raise errors.SchemaMismatch(
            f"the database has revision {revision}, which this version does not know: "
            "it was made by a newer lineage-store; upgrade this one"
        )
