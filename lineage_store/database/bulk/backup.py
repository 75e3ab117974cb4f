"""A copy of an SQLite store, made while it is in use."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from lineage_store import errors
from lineage_store.database.bulk.files import appearing
from lineage_store.database.drivers.sqlite import SqliteDriver
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import revisions as schema
from lineage_store.private_files import make_private_file

PAGES = 2_000
"""Pages of the file between two looks at the progress."""

_OTHERS = (
    "this backs up SQLite files only; use {program} of the database, or "
    "`lineage-store dump`, which any database can load"
)


def backup(
    url: str, path: Path, *, force: bool = False, progress: Callable[[int, int], None]
) -> int:
    """Write one state of a store into a file of its own; return the bytes of the file.

    The file appears when it is complete. Writers go on meanwhile.

    Args:
        url: The database, an SQLite file.
        path: The file to write.
        force: Replace a file that is there.
        progress: Called with the number of pages done, and of all pages.

    Raises:
        Unimplemented: The database is not an SQLite file.
        AlreadyExists: The file exists.
        LineageError: The database can't be read, or the file not be written, and why.
    """
    driver = _file_driver(url)
    _check_replaceable(driver, path)
    with appearing(path, replace=force) as aside:
        try:
            _write(driver, aside, progress)
        except sqlite3.Error as error:
            raise driver.translate(error) from error
    return path.stat().st_size


def _check_replaceable(driver: SqliteDriver, path: Path) -> None:
    source = driver.path
    if source is not None and source.exists() and path.exists() and path.samefile(source):
        raise errors.InvalidArgument("the backup would replace the database itself")
    log = path.with_name(f"{path.name}-wal")
    if log.exists():  # it would be applied to the new file
        raise errors.FailedPrecondition(
            f"{path} is, or was, a database in use: {log.name} is beside it; name another file"
        )


def _file_driver(url: str) -> SqliteDriver:
    driver = driver_for(url).without_creating()
    if not isinstance(driver, SqliteDriver):
        program = "pg_dump" if url.startswith("postgres") else "mariadb-dump (or mysqldump)"
        raise errors.Unimplemented(_OTHERS.format(program=program))
    if driver.is_single:
        raise errors.InvalidArgument("a database in memory holds nothing; name a file")
    return driver


def _write(driver: SqliteDriver, path: Path, progress: Callable[[int, int], None]) -> None:
    with closing(driver.connect()) as source:
        with driver.core_engine(source).connect() as connection, schema.translated(driver):
            if schema.current_revision(connection) is None:
                raise errors.FailedPrecondition("the database is empty")
        make_private_file(path)
        # One state for the whole backup: otherwise each commit of a writer begins it anew.
        driver.begin(source, write=False)
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(path)) as target:
            source.backup(
                target, pages=PAGES, progress=lambda _, rest, total: progress(total - rest, total)
            )
        source.rollback()
