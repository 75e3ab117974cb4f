"""Upgrades of a database to the newest revision: once, however many processes try at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Integer, MetaData, Table, select
from sqlalchemy.engine import Connection as CoreConnection
from sqlalchemy.exc import DBAPIError

from lineage_store import errors
from lineage_store.database.connection import Driver
from lineage_store.database.schema import migrations
from lineage_store.database.schema import revisions as schema

UPGRADE_WAIT_SECONDS = 60.0
"""Seconds to wait for another process that upgrades the database."""

_guard = Table("lineage_store_upgrading", MetaData(), Column("id", Integer, primary_key=True))
"""There while an upgrade is under way, where tables are not changed in one transaction."""


def upgrade(driver: Driver, raw: object, *, take_over: bool) -> None:
    """Bring a database to the newest revision; see `administration.upgrade`."""
    if driver.changes_tables_at_once:
        with schema.writing(driver, raw) as connection:
            # Held until the end: another process that upgrades waits here, and finds it done.
            connection.execute(select(schema.revision_table).with_for_update()).all()
            migrations.upgrade(connection)
        return
    with driver.core_engine(raw).connect() as connection:
        if take_over:
            _guard.drop(connection, checkfirst=True)
        with _guarded(driver, connection):
            if schema.current_revision(connection) != schema.HEAD:
                migrations.upgrade(connection)


@contextmanager
def _guarded(driver: Driver, connection: CoreConnection) -> Iterator[None]:
    """Let only one process into the block; it stays closed when that process dies in it."""
    deadline = time.monotonic() + UPGRADE_WAIT_SECONDS
    while not _created(driver, connection):
        if time.monotonic() > deadline:
            raise errors.FailedPrecondition(
                "another process began to upgrade the database and has not ended; if none is at "
                "work, `lineage-store db upgrade --take-over` finishes it"
            )
        time.sleep(0.1)
    try:
        yield
    finally:
        _guard.drop(connection)


def _created(driver: Driver, connection: CoreConnection) -> bool:
    try:
        _guard.create(connection, checkfirst=False)
    except DBAPIError as error:
        if isinstance(driver.translate(error.orig), errors.AlreadyExists):  # type: ignore[arg-type]
            return False
        raise
    return True
