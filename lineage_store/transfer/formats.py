"""The format of an archive, which its name says."""

from pathlib import Path
from types import ModuleType

from lineage_store import errors
from lineage_store.transfer.archive import Header, Reader, Writer
from lineage_store.transfer.json_lines import GZIP, JsonReader, JsonWriter

_JSON = ".jsonl"


def is_json(path: Path) -> bool:
    """Return whether an archive is a file of JSON lines; else it is a directory of Parquet files.

    Raises:
        InvalidArgument: The name says neither.
    """
    name = path.name.removesuffix(GZIP)
    if name.endswith(_JSON):
        return True
    if path.is_dir() or not path.suffix or path.suffix == ".parquet":
        return False
    raise errors.InvalidArgument(
        f"{path} names no format: FILE.jsonl or FILE.jsonl.gz for JSON, a directory for Parquet"
    )


def new_writer(path: Path, aside: Path, header: Header) -> Writer:
    """Return a writer of an archive named `path` at `aside`."""
    if is_json(path):
        return JsonWriter(aside, header, compressed=path.name.endswith(GZIP))
    writer: Writer = _parquet().ParquetWriter(aside, header)
    return writer


def open_archive(path: Path) -> Reader:
    """Return a reader of an archive.

    Raises:
        LineageError: It can't be read, or is none.
    """
    if not path.exists():
        raise errors.NotFound(f"{path} does not exist")
    if is_json(path):
        return JsonReader(path)
    reader: Reader = _parquet().ParquetReader(path)
    return reader


def _parquet() -> ModuleType:
    try:
        from lineage_store.transfer import parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise errors.FailedPrecondition(
            "Parquet needs a package more: pip install 'lineage-store[parquet]'"
        ) from None
    return parquet
