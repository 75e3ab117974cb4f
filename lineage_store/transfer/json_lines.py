"""Archives of one line a record: JSON that needs no software of ours to be read.

Each line ends with a CRC-32 over all lines up to it, so that whatever was altered, removed or put
in between is found at its line. The last line has the SHA-256 of all before it.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.store_contents import StoredTable
from lineage_store.database.connection import Row
from lineage_store.private_files import make_private_file
from lineage_store.transfer.archive import Header, checked_header
from lineage_store.transfer.endpoints import Progress
from lineage_store.transfer.records import Fields, from_record, to_record

GZIP = ".gz"
MAX_LINE = 512 * 1024 * 1024
"""Bytes in one line; a value has half of that at most."""

MAX_HEADER = 1024 * 1024
"""Bytes in the first line, by which a file is judged before more of it is read."""

_END = b'{"end":'
_CRC = b',"crc":"'
_TAIL = len(_CRC) + 8 + len('"}\n')
_EVERY = 2_000
"""Lines between two looks at the progress."""


class JsonWriter:
    """Writes an archive into a file; by its name, compressed or not.

    Args:
        path: Where.
        header: What the archive says about itself.
        compressed: Whether to compress it.
    """

    def __init__(self, path: Path, header: Header, *, compressed: bool) -> None:
        make_private_file(path)
        self._file = path.open("wb")
        self._out: IO[bytes] = self._file
        if compressed:
            # Without name and time, equal contents make equal files.
            self._out = gzip.GzipFile("", "wb", 6, self._file, mtime=0)  # type: ignore[assignment]
        self._crc = 0
        self._digest = hashlib.sha256()
        self._records = 0
        self._line(header.to_json())

    def write(self, table: StoredTable, rows: Sequence[Row]) -> None:
        """Add rows of a table."""
        for row in rows:
            self._line({"table": table.name, **to_record(table, row)})
        self._records += len(rows)

    def _line(self, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        payload = text[:-1].encode()
        self._crc = zlib.crc32(payload, self._crc)
        line = b'%s%s%08x"}\n' % (payload, _CRC, self._crc)
        self._digest.update(line)
        self._out.write(line)

    def finish(self) -> None:
        """Write the last line."""
        self._line({"end": True, "records": self._records, "sha256": self._digest.hexdigest()})
        self.close()

    def close(self) -> None:
        """Close the file."""
        try:
            self._out.close()
        finally:
            self._file.close()


class JsonReader:
    """Reads an archive from a file.

    Args:
        path: The file.

    Raises:
        LineageError: It can't be read, or is no archive.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        for _, line in self._lines():
            with self._at(1):
                self.header = checked_header(_parsed(line))
            break
        else:
            raise errors.InvalidArgument(f"{path}: it is empty")

    def check(self, progress: Progress) -> str:
        """Read all lines; return the SHA-256 of the archive; see `Reader.check`."""
        digest = hashlib.sha256()
        number, archive_digest = 0, ""
        for number, line in self._lines():
            if line.startswith(_END):
                archive_digest = digest.hexdigest()
                self._check_end(number, line, archive_digest)
            digest.update(line)
            if number % _EVERY == 0:
                progress(f"checking {self._path.name}", number, self.header.total)
        if not archive_digest:
            raise errors.DataLoss(f"{self._path}: cut off behind line {number}: the end is missing")
        return archive_digest

    def _check_end(self, number: int, line: bytes, digest: str) -> None:
        with self._at(number):
            end = _parsed(line)
        if end.get("records") != number - 2 or self.header.total != number - 2:
            raise errors.DataLoss(
                f"{self._path}: line {number}: {number - 2} records are there and not "
                f"{self.header.total}"
            )
        if end.get("sha256") != digest:
            raise errors.DataLoss(f"{self._path}: line {number}: the SHA-256 is another")

    def records(self) -> Iterator[tuple[str, StoredTable, Fields]]:
        """Yield each record; see `Reader.records`."""
        for number, line in self._lines():
            if number == 1 or line.startswith(_END):
                continue
            with self._at(number):
                record = _parsed(line)
                name = record.pop("table", None)
                if not isinstance(name, str) or name not in self.header.tables:
                    raise errors.InvalidArgument("it is of no table that the header names")
                record.pop("crc", None)
                table = tables.metadata.tables[name]
                fields = from_record(table, record)
            yield f"{self._path}: line {number}", table, fields

    @contextmanager
    def _at(self, number: int) -> Iterator[None]:
        try:
            yield
        except errors.LineageError as error:
            message = f"{self._path}: line {number}: {error.message}"
            raise type(error)(message) from error

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line with its number, if its checksum is right.

        Raises:
            DataLoss: It is not, or something follows the end.
        """
        crc, number, is_past_end = 0, 0, False
        with self._reading() as file:
            while line := file.readline((MAX_LINE if number else MAX_HEADER) + 1):
                number += 1
                where = f"{self._path}: line {number}"
                if number == 1 and len(line) > MAX_HEADER:
                    raise errors.InvalidArgument(f"{where}: it is no header of an archive")
                if is_past_end:
                    raise errors.DataLoss(f"{where}: something follows the end of the archive")
                crc = _checked(line, crc, where)
                is_past_end = line.startswith(_END)
                yield number, line

    @contextmanager
    def _reading(self) -> Iterator[IO[bytes]]:
        try:
            with self._path.open("rb") as file:
                if self._path.name.endswith(GZIP):
                    with gzip.GzipFile(fileobj=file) as unpacked:
                        yield unpacked  # type: ignore[misc]
                else:
                    yield file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise errors.DataLoss(
                f"{self._path}: the compressed file was cut off or altered"
            ) from error
        except OSError as error:
            raise errors.Unavailable(f"{self._path} can't be read: {error.strerror}") from error


def _checked(line: bytes, crc: int, where: str) -> int:
    """Return the checksum up to a line."""
    if len(line) > MAX_LINE:
        raise errors.InvalidArgument(f"{where}: it is longer than {MAX_LINE} bytes")
    payload, tail = line[:-_TAIL], line[-_TAIL:]
    if not line.endswith(b"\n"):
        raise errors.DataLoss(f"{where}: it was cut off")
    if not (tail.startswith(_CRC) and tail.endswith(b'"}\n')):
        if where.endswith("line 1"):
            raise errors.InvalidArgument(f"{where}: it is not an archive of a lineage store")
        raise errors.DataLoss(f"{where}: it has no checksum: it was altered")
    crc = zlib.crc32(payload, crc)
    if tail[len(_CRC) : -3] != b"%08x" % crc:
        raise errors.DataLoss(
            f"{where}: its checksum is another: it was altered, or lines before it are missing"
        )
    return crc


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise errors.InvalidArgument("it is not JSON") from None
    if not isinstance(value, dict):
        raise errors.InvalidArgument("it is not an object")
    return value
