"""Salvage of the intact records of a damaged spool file."""

import shutil
import sqlite3
import time
import zlib
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from lineage_store import errors
from lineage_store.recording.delivery.spool import Spool, SpoolDamaged

_HEADER = 100
_BODY, _CHECKSUM, _REFUSED = 3, 4, 5
_MAX_BYTES = 2**40
"""A header that names more is damaged itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The result of salvaging a damaged spool file.

    Attributes:
        saved: Records that were intact, and are in a new file now.
        lost: Records that were not; None: the file does not tell their number.
        damaged: The path of the damaged file, which is kept.
    """

    saved: int
    lost: int | None
    damaged: Path


def recover(path: Path | str) -> Recovered | None:
    """Save the intact records of a damaged spool file into a new one; None: it is not damaged.

    The damaged file is kept beside it, under the name that comes back.

    Raises:
        Unavailable: A file can't be moved or written.
    """
    spool = Spool(path)
    with suppress(SpoolDamaged):
        if spool.path.exists():
            spool.check()
        return None
    rows, lost_count, url = _salvage(spool.path)
    aside = spool.path.with_name(f"{spool.path.name}.damaged-{time.time_ns()}")
    try:
        spool.path.replace(aside)
        with suppress(FileNotFoundError):
            spool.path.with_name(f"{spool.path.name}-journal").unlink()
    except OSError as error:
        raise errors.Unavailable(f"the spool {path} can't be moved: {error}") from None
    if rows:
        _restore(Spool(path, url=url), rows, aside)
    return Recovered(saved=len(rows), lost=lost_count, damaged=aside)


def _restore(spool: Spool, rows: list[tuple[object, ...]], aside: Path) -> None:
    """Keep rows in a new file; if that can't be, put the damaged one back, to be tried again."""
    try:
        spool.restore(rows)
    except errors.LineageError:
        with suppress(OSError):
            aside.replace(spool.path)
        raise


def _salvage(path: Path) -> tuple[list[tuple[object, ...]], int | None, str | None]:
    """Return the intact rows, the number of the others, and the url."""
    copy = path.with_name(f"{path.name}.copy-{time.time_ns()}")
    try:
        _copy_whole(path, copy)
        with closing(sqlite3.connect(copy)) as connection:
            first, last = _bounds(connection)
            url = _url_of(connection)
            rows = [_row(connection, number) for number in range(first, last + 1)]
    except sqlite3.DatabaseError:
        return [], None, None
    except OSError as error:
        raise errors.Unavailable(f"the spool {path} can't be copied: {error}") from None
    finally:
        copy.unlink(missing_ok=True)
    intact_rows = [row for row in rows if isinstance(row, tuple)]
    return intact_rows, _count_lost(rows), url


def _count_lost(rows: list[tuple[object, ...] | bool | None]) -> int:
    """Return the number of records that are neither sent nor intact, at most.

    Records are sent in their order: behind the first that waits only those are missing that were
    sent past one that the store failed on.
    """
    waits = (isinstance(row, tuple) and row[_REFUSED] is None for row in rows)
    first = next((at for at, is_waiting in enumerate(waits) if is_waiting), len(rows))
    damaged = sum(row is False for row in rows[:first])
    return damaged + sum(not isinstance(row, tuple) for row in rows[first:])


def _copy_whole(path: Path, copy: Path) -> None:
    """Copy a file, and fill it up to the size that its header names, or SQLite reads none of it."""
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        header = file.read(_HEADER)
        size = int.from_bytes(header[16:18], "big") * int.from_bytes(header[28:32], "big")
        if copy.stat().st_size < size <= _MAX_BYTES:
            file.truncate(size)


def _bounds(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the numbers of the first record and of the last that was ever added."""
    query = "SELECT id FROM records ORDER BY id LIMIT 1"
    [first] = connection.execute(query).fetchone() or (1,)
    query = "SELECT seq FROM sqlite_sequence WHERE name = 'records'"
    [last] = connection.execute(query).fetchone() or (0,)
    return first, last


def _url_of(connection: sqlite3.Connection) -> str | None:
    with suppress(sqlite3.DatabaseError):
        origin = connection.execute("SELECT url FROM origin").fetchone()
        return origin[0] if origin else None
    return None


def _row(connection: sqlite3.Connection, number: int) -> tuple[object, ...] | bool | None:
    """Return an intact row; False: it is damaged; None: there is none of this number."""
    try:
        row = connection.execute("SELECT * FROM records WHERE id = ?", (number,)).fetchone()
    except sqlite3.DatabaseError:
        return False
    if row is None:
        return None
    body, checksum = row[_BODY], row[_CHECKSUM]
    return row if isinstance(body, bytes) and zlib.crc32(body) == checksum else False
