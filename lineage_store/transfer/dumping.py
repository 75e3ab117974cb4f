"""Writing all that a store holds into an archive."""

from dataclasses import dataclass
from pathlib import Path

from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.files import appearing
from lineage_store.database.bulk.store_contents import content_tables
from lineage_store.transfer.archive import header_of
from lineage_store.transfer.endpoints import Progress, no_progress, open_source
from lineage_store.transfer.formats import new_writer


@dataclass(frozen=True, slots=True)
class Dumped:
    """The result of a dump.

    Attributes:
        rows: The records of each table.
        bytes: The size of the archive.
    """

    rows: dict[str, int]
    bytes: int


def dump(url: str, path: Path, *, force: bool = False, progress: Progress = no_progress) -> Dumped:
    """Write one state of a store into an archive; return the result.

    Args:
        url: The database; it is not changed and may be in use.
        path: A file whose name ends in .jsonl or .jsonl.gz, or a directory for Parquet. It
            appears when it is complete.
        force: Replace an existing archive.
        progress: Called after each page.

    Raises:
        AlreadyExists: The path exists.
        InvalidArgument: The name of the path says no format.
        LineageError: The database can't be read, or the archive not be written, and why.
    """
    with open_source(url) as source, appearing(path, replace=force) as aside:
        header = header_of(source)
        writer = new_writer(path, aside, header)
        count = 0
        try:
            for table in content_tables():
                for page in contents.pages(source.connection, table):
                    writer.write(table, page)
                    count += len(page)
                    progress(f"writing {table.name}", count, header.total)
            writer.finish()
        finally:
            writer.close()
        return Dumped(header.tables, size_of(aside))


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a directory."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
