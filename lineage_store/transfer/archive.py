"""The header of every archive, whatever its format; see docs/archive-format.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Protocol

from lineage_store import errors
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Contents, StoredTable, content_tables
from lineage_store.database.connection import Row
from lineage_store.database.ids import MAX_ID
from lineage_store.database.schema import revisions as schema
from lineage_store.transfer.endpoints import Progress
from lineage_store.transfer.records import Fields

FORMAT = "lineage-store archive"
VERSION = 2
"""The version of the formats that this software writes, and the newest that it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of an archive.

    Attributes:
        revision: Of the store that it was written from.
        created_at: When, in ISO 8601.
        created_by: By which version of this software.
        tables: How many records of each table there are, in their order.
        counters: The first free id of each sequence.
        format: FORMAT.
        version: Of the format.
    """

    revision: str
    created_at: str
    created_by: str
    tables: dict[str, int]
    counters: dict[str, int]
    format: str = FORMAT
    version: int = VERSION

    def to_json(self) -> dict[str, Any]:
        """Return the header in terms of JSON, format and version first."""
        fields = asdict(self)
        return {"format": fields.pop("format"), "version": fields.pop("version"), **fields}

    @property
    def total(self) -> int:
        """The number of records."""
        return sum(self.tables.values())


class Writer(Protocol):
    """Writes an archive, its tables in their order."""

    def write(self, table: StoredTable, rows: Sequence[Row]) -> None:
        """Add rows of a table."""

    def finish(self) -> None:
        """Write the end of the archive."""

    def close(self) -> None:
        """Close all open files."""


class Reader(Protocol):
    """Reads an archive that may be anything."""

    @property
    def header(self) -> Header:
        """The header of the archive."""

    def check(self, progress: Progress) -> str:
        """Read everything; return a text that only this archive has.

        Raises:
            DataLoss: It was cut off or altered, and where.
        """

    def records(self) -> Iterator[tuple[str, StoredTable, Fields]]:
        """Yield each record: its place, its table, and its fields.

        Raises:
            InvalidArgument: A record is malformed, and which.
        """


def header_of(store_contents: Contents) -> Header:
    """Return the header of an archive of these contents."""
    return Header(
        revision=schema.HEAD,
        created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        created_by=f"lineage-store {version('lineage-store')}",
        tables={t.name: contents.count(store_contents.connection, t) for t in content_tables()},
        counters=contents.counters(store_contents.connection),
    )


def checked_header(value: object) -> Header:
    """Return the header that an archive has.

    Raises:
        InvalidArgument: It is not an archive, or of a newer version.
    """
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise errors.InvalidArgument("it is not an archive of a lineage store")
    number = value.get("version")
    if type(number) is not int or number < 1:
        raise errors.InvalidArgument("its header is malformed: version")
    if number > VERSION:
        raise errors.InvalidArgument(
            f"its format has version {number}, this software reads up to {VERSION}: upgrade it"
        )
    for name in ("revision", "created_at", "created_by"):
        if not isinstance(value.get(name), str):
            raise errors.InvalidArgument(f"its header is malformed: {name}")
    return Header(
        **{name: value[name] for name in ("revision", "created_at", "created_by")},
        version=number,
        tables=_numbers(value, "tables", {table.name for table in content_tables()}),
        counters=_numbers(value, "counters", set(schema.COUNTERS)),
    )


def _numbers(value: Mapping[str, object], name: str, allowed: set[str]) -> dict[str, int]:
    numbers = value.get(name)
    if not isinstance(numbers, dict):
        raise errors.InvalidArgument(f"its header is malformed: {name}")
    for key, number in numbers.items():
        if key not in allowed:
            raise errors.InvalidArgument(
                f"it has {name} that this software does not know: {key[:40]!r}; upgrade it"
            )
        if type(number) is not int or not 0 <= number <= MAX_ID:
            raise errors.InvalidArgument(f"its header is malformed: {name}")
    return numbers
