"""Tasks of an operator: look at the revision of a database, upgrade it, check its file."""

from contextlib import closing
from dataclasses import dataclass

from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import revisions as schema
from lineage_store.database.schema import upgrading
from lineage_store.database.schema.revisions import check_revision

__all__ = ["Status", "check_revision", "integrity_problems", "status", "upgrade"]


@dataclass(frozen=True, slots=True)
class Status:
    """The revision that a database has (None: it is empty) and the one that is needed."""

    revision: str | None
    needed: str


def status(url: str) -> Status:
    """Return the revision of a database without changing it; a file yet to be made has none.

    Raises:
        NotOurDatabase: It holds something else.
        LineageError: It can't be opened.
    """
    driver = driver_for(url).without_creating()
    if driver.is_missing:
        return Status(None, schema.HEAD)
    with (
        closing(driver.connect()) as raw,
        schema.translated(driver),
        driver.core_engine(raw).connect() as connection,
    ):
        return Status(schema.current_revision(connection), schema.HEAD)


def integrity_problems(url: str) -> list[str]:
    """Return the errors that the database itself finds in its file; empty: none."""
    driver = driver_for(url).without_creating()
    with closing(driver.connect()) as raw, schema.translated(driver):
        return driver.damages(raw)


def upgrade(url: str, *, take_over: bool = False) -> tuple[str | None, str]:
    """Bring a database to the newest revision; return the one before and the one after.

    Of several processes that upgrade the same database one does, and the others wait for it.

    Args:
        url: The database.
        take_over: Finish an upgrade that another process began and did not end.

    Raises:
        NotOurDatabase: It holds something else.
        SchemaMismatch: It is newer than this version.
        FailedPrecondition: Another process began to upgrade it and has not ended, or has the
            file open.
    """
    driver = driver_for(url)
    before = status(url).revision
    if before is None or (before == schema.HEAD and not take_over):
        with closing(driver.connect()) as raw, schema.translated(driver):
            schema.open_or_create(driver, raw, finish=True)
        return before, schema.HEAD
    schema.check_known(before)
    with closing(driver.connect_alone()) as raw, schema.translated(driver):
        upgrading.upgrade(driver, raw, take_over=take_over)
    return before, schema.HEAD
