"""The source and the target of a copy, dump or load, and errors that name the side."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lineage_store import errors
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.bulk.store_contents import Contents
from lineage_store.database.drivers.urls import driver_for
from lineage_store.masking import masked_url

Progress = Callable[[str, int, int], None]
"""Called with the present stage, the number of rows so far, and the number in all."""


def no_progress(_stage: str, _count: int, _total: int) -> None:
    """Show no progress."""


@contextmanager
def naming_side(side: str) -> Iterator[None]:
    """Name the side, source or target, in the errors of the block."""
    try:
        yield
    except errors.LineageError as error:
        raise type(error)(f"the {side}: {error.message}") from error


def open_source(url: str) -> Contents:
    """Return the present contents of a store.

    Raises:
        LineageError: It can't be read, and why.
    """
    with naming_side("source"):
        return Contents(url)


def open_target(url: str, source: str) -> BulkLoad:
    """Return a store that can be filled from `source`; see `BulkLoad`.

    Raises:
        LineageError: It can't be filled, and why.
    """
    with naming_side("target"):
        if driver_for(url).is_single:
            raise errors.InvalidArgument("a database in memory ends with this command; name a file")
        return BulkLoad(url, source)


def check_different(source: Contents, target_url: str) -> None:
    """Raise InvalidArgument if the target is the database that is read."""
    with naming_side("target"):
        driver = driver_for(target_url)
        if driver.is_single or driver.is_missing:
            return
        raw = driver.connect()
        try:
            same = driver.identity(raw) == source.identity
        finally:
            driver.close(raw)
    if same:
        raise errors.InvalidArgument("source and target are the same database")


def name_of(url: str) -> str:
    """Return the name of a database, the same in each directory a command runs in: no password."""
    if not url.startswith("sqlite:"):
        return masked_url(url)
    return f"sqlite:///{Path(urlsplit(url).path[1:]).resolve()}"
