"""`lineage-store copy`, `dump` and `load`: moving the contents of a store."""

import json
from pathlib import Path
from typing import Any

import click

from lineage_store.cli.options import as_url, json_option
from lineage_store.cli.progress import progress_bar
from lineage_store.entities.plain import printable
from lineage_store.transfer.copying import copy as copy_store
from lineage_store.transfer.dumping import dump as write_archive
from lineage_store.transfer.loading import load as load_archive

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("source", metavar="FROM", callback=as_url)
@click.argument("target", metavar="TO", callback=as_url)
@click.option("--verify", is_flag=True, help="Compare every row before TO is opened to all.")
@json_option
def copy(source: str, target: str, *, verify: bool, as_json: bool) -> None:
    """Copy the store FROM into the empty database TO: database URLs, or paths of SQLite files.

    Ids, times, versions, cache entries and all else stay as they are. FROM may be in use: one state
    of it is copied. To resume an interrupted copy, run the
    same command.
    """
    with progress_bar("copying") as show:
        result = copy_store(source, target, verify=verify, progress=show)
    _echo(
        {"rows": result.rows, "resumed": result.is_resumed, "verified": result.is_verified},
        f"copied {_rows(result.rows)}{', all compared' if result.is_verified else ''}",
        as_json=as_json,
    )


@click.command()
@click.argument("source", metavar="FROM", callback=as_url)
@click.argument("path", metavar="FILE|DIRECTORY", type=_PATH)
@click.option("--force", is_flag=True, help="Replace an existing archive.")
@json_option
def dump(source: str, path: Path, *, force: bool, as_json: bool) -> None:
    """Write the store FROM, a database URL or the path of an SQLite file, into an archive.

    FILE.jsonl has one JSON record a line, FILE.jsonl.gz the same compressed; a DIRECTORY has one
    Parquet file a table. The archive appears when it is complete.
    """
    with progress_bar("writing") as show:
        result = write_archive(source, path, force=force, progress=show)
    _echo(
        {"path": str(path), "rows": result.rows, "bytes": result.bytes},
        f"{path}: {_rows(result.rows)}, {result.bytes} bytes",
        as_json=as_json,
    )


@click.command()
@click.argument("path", metavar="FILE|DIRECTORY", type=_PATH)
@click.option(
    "--into", "target", required=True, metavar="URL", callback=as_url, help="An empty database."
)
@json_option
def load(path: Path, target: str, *, as_json: bool) -> None:
    """Read an archive of `dump` into an empty database.

    The archive is read to its end and checked before anything is written. To resume an interrupted
    load, run the same command.
    """
    with progress_bar("loading") as show:
        result = load_archive(path, target, progress=show)
    _echo(
        {"rows": result.rows, "resumed": result.is_resumed},
        f"loaded {_rows(result.rows)}",
        as_json=as_json,
    )


def _rows(rows: dict[str, int]) -> str:
    total = sum(rows.values())
    return "1 row" if total == 1 else f"{total} rows"


def _echo(value: dict[str, Any], text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(value, indent=2) if as_json else printable(text))
