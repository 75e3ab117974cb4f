"""Archives of one Parquet file a table, for programs that analyse: bodies as bytes, and columns.

The columns beside a body are for readers; what is loaded follows from the body. `manifest.json`
has the SHA-256 of each file, and is written last.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import StoredTable
from lineage_store.database.bulk.values import column_kinds
from lineage_store.database.connection import Row
from lineage_store.private_files import DIRECTORY_MODE
from lineage_store.transfer.archive import Header, checked_header
from lineage_store.transfer.endpoints import Progress
from lineage_store.transfer.records import Fields, fields_of

MANIFEST = "manifest.json"
MAX_MANIFEST = 1024 * 1024
GROUP_BYTES = 32 * 1024 * 1024
"""The approximate memory of a row group, in bytes."""

BATCH_ROWS = 1_000
"""Rows that are read at once."""

_TYPES = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "text": pa.string(),
    "bytes": pa.binary(),
}
_CHUNK = 1024 * 1024
_SHA = "sha256"


def schema_of(table: StoredTable) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return the schema of the file of a table."""
    return pa.schema(
        [
            pa.field(name, _TYPES[kind], nullable=is_nullable)
            for name, kind, is_nullable in column_kinds(table)
        ]
    )


class ParquetWriter:
    """Writes an archive into a directory, which must not exist yet.

    Args:
        directory: Where.
        header: What the archive says about itself.
    """

    def __init__(self, directory: Path, header: Header) -> None:
        directory.mkdir(mode=DIRECTORY_MODE)
        self._directory = directory
        self._header = header
        self._table: StoredTable | None = None
        self._file: Any = None
        self._rows: list[Row] = []
        self._bytes = 0

    def write(self, table: StoredTable, rows: Sequence[Row]) -> None:
        """Add rows of a table."""
        if table is not self._table:
            self._begin(table)
        self._rows += rows
        self._bytes += contents.size_of(rows)
        if self._bytes > GROUP_BYTES:
            self._write_group()

    def _begin(self, table: StoredTable) -> None:
        self.close()
        self._table = table
        self._file = pq.ParquetWriter(
            _file_of(self._directory, table.name), schema_of(table), compression="zstd"
        )

    def _write_group(self) -> None:
        assert self._table is not None  # noqa: S101 - rows are of one
        columns = list(zip(*self._rows, strict=True))
        schema = schema_of(self._table)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        self._file.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._rows, self._bytes = [], 0

    def finish(self) -> None:
        """Write empty files of the tables without rows, and the manifest."""
        self.close()
        for name in self._header.tables:
            if not _file_of(self._directory, name).exists():
                self._begin(tables.metadata.tables[name])
                self.close()
        manifest = self._header.to_json()
        manifest["files"] = {
            name: {_SHA: _digest(_file_of(self._directory, name))} for name in self._header.tables
        }
        manifest[_SHA] = _digest_of_manifest(manifest)
        text = json.dumps(manifest, indent=2)
        (self._directory / MANIFEST).write_text(f"{text}\n", encoding="utf-8")

    def close(self) -> None:
        """Write the rows held back, and close the open file."""
        if self._file is None:
            return
        if self._rows:
            self._write_group()
        self._file.close()
        self._file = self._table = None


class ParquetReader:
    """Reads an archive from a directory.

    Args:
        directory: The directory.

    Raises:
        LineageError: It can't be read, or is no archive.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / MANIFEST
        try:
            manifest = _read_manifest(self._path)
            self.header = checked_header(manifest)
            if manifest.get(_SHA) != _digest_of_manifest(manifest):
                raise errors.DataLoss("its SHA-256 is another: it was altered")
            self._digests = _checked_digests(manifest, self.header)
        except errors.LineageError as error:
            raise type(error)(f"{self._path}: {error.message}") from None
        self._identity = str(manifest[_SHA])

    def check(self, progress: Progress) -> str:
        """Compare the SHA-256 of all files; see `Reader.check`."""
        for count, (name, digest) in enumerate(self._digests.items()):
            path = _file_of(self._directory, name)
            progress(f"checking {path.name}", count, len(self._digests))
            try:
                file_digest = _digest(path)
            except FileNotFoundError:
                raise errors.DataLoss(f"{path}: it is missing") from None
            except OSError as error:
                raise errors.Unavailable(f"{path} can't be read: {error.strerror}") from error
            if file_digest != digest:
                raise errors.DataLoss(f"{path}: its SHA-256 is another: it was cut off or altered")
        return self._identity

    def records(self) -> Iterator[tuple[str, StoredTable, Fields]]:
        """Yield each record; see `Reader.records`."""
        for name, count in self.header.tables.items():
            path = _file_of(self._directory, name)
            number = 0
            for fields in _facts(path, tables.metadata.tables[name]):
                number += 1
                yield f"{path}: row {number}", tables.metadata.tables[name], fields
            if number != count:
                raise errors.DataLoss(f"{path}: {number} records are there and not {count}")


def _facts(path: Path, table: StoredTable) -> Iterator[Fields]:
    try:
        with pq.ParquetFile(path) as file:
            _check_schema(path, file.schema_arrow, table)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(fields_of(table))):
                yield from batch.to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise errors.DataLoss(f"{path}: it is not a Parquet file that can be read") from error
    except OSError as error:
        raise errors.DataLoss(f"{path}: it can't be read") from error


def _check_schema(path: Path, file_schema: Any, table: StoredTable) -> None:  # noqa: ANN401 - pyarrow has no types
    for field in schema_of(table):
        if field.name not in file_schema.names or file_schema.field(field.name).type != field.type:
            raise errors.InvalidArgument(f"{path}: there is no column {field.name}: {field.type}")


def _file_of(directory: Path, table: str) -> Path:
    return directory / f"{table}.parquet"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _digest_of_manifest(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of all other fields of a manifest."""
    rest = {name: value for name, value in manifest.items() if name != _SHA}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MANIFEST + 1)
    except FileNotFoundError:
        raise errors.InvalidArgument(
            "it is missing: this is no archive, or not all of it"
        ) from None
    except OSError as error:
        raise errors.Unavailable(f"it can't be read: {error.strerror}") from error
    return _parsed(text)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text) if len(text) <= MAX_MANIFEST else None
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise errors.InvalidArgument("it is not a JSON object")
    return manifest


def _checked_digests(manifest: dict[str, Any], header: Header) -> dict[str, str]:
    files = manifest.get("files")
    if not isinstance(files, dict) or files.keys() != header.tables.keys():
        raise errors.InvalidArgument("its files are not those of its tables")
    digests = {n: f.get(_SHA) if isinstance(f, dict) else None for n, f in files.items()}
    if not all(isinstance(digest, str) for digest in digests.values()):
        raise errors.InvalidArgument("the SHA-256 of a file is missing")
    return {name: str(digest) for name, digest in digests.items()}
