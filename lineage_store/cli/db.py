"""`lineage-store db`: schema, checks and backups of the database of a store."""

import json
from pathlib import Path
from typing import Any

import click

from lineage_store import errors
from lineage_store.cli.options import as_url
from lineage_store.cli.progress import progress_bar
from lineage_store.database.bulk.backup import backup as write_backup
from lineage_store.database.checks import checking
from lineage_store.database.checks.findings import HINTS
from lineage_store.database.schema import administration
from lineage_store.entities.plain import plain, printable

_database = click.option(
    "--database",
    default="sqlite:///lineage.db",
    show_default=True,
    envvar="LINEAGE_STORE_DATABASE",
    show_envvar=True,
    callback=as_url,
    help="Database URL, or the path of an SQLite file.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def db() -> None:
    """Look at, check, back up and upgrade the database of a store."""


@db.command()
@_database
@_json
def current(database: str, *, as_json: bool) -> None:
    """Show the revision of a database, and the one that this version needs."""
    status = administration.status(database)
    if as_json:
        click.echo(json.dumps({"revision": status.revision, "needed": status.needed}))
    else:
        click.echo(f"revision {status.revision or '(empty)'}, needed {status.needed}")


@db.command()
@_database
@click.option(
    "--repair-index",
    "repair",
    is_flag=True,
    help="Rebuild columns, property rows and counters that differ from the bodies of their rows.",
)
@_json
def check(database: str, *, repair: bool, as_json: bool) -> None:
    """Check the whole store; exit 0 if it is sound, 1 if there are findings.

    References, bodies, the columns and indexes made from them, names, counters and, of an SQLite
    file, its pages. The store may be in use.
    """
    if administration.status(database).revision is None:
        raise errors.FailedPrecondition(
            "the database is empty; `lineage-store db upgrade` makes a store of it"
        )
    with progress_bar("checking") as show:
        report = checking.check(database, repair=repair, progress=show)
    findings = report.findings
    if as_json:
        click.echo(json.dumps(_report(report), indent=2, ensure_ascii=False))
    else:
        _echo_report(report)
    remaining_count = findings.total
    if remaining_count and repair:
        remaining_count = checking.check(database).findings.total
    if remaining_count:
        raise errors.FailedPrecondition(f"{_counted(remaining_count, 'finding')} in this store")


def _echo_report(report: checking.CheckReport) -> None:
    for one in report.findings.kept_findings:
        key = ", ".join(f"{name}={value!r}" for name, value in one.key.items())
        where = f"{one.table} {key}".strip()
        click.echo(printable(f"{one.kind}: {where}: {one.message}"))
    for (kind, table), count in report.findings.totals.items():
        hint = HINTS[kind]
        click.echo(printable(f"{_counted(count, kind)} of {table}: {hint}"))
    if report.repaired:
        click.echo(f"rebuilt {_counted(report.repaired, 'row')}")
    if not report.findings.total:
        rows = sum(report.rows.values())
        click.echo(f"revision {report.revision} is current; {_counted(rows, 'row')}, all sound")


def _report(report: checking.CheckReport) -> dict[str, Any]:
    findings = report.findings
    return {
        "revision": report.revision,
        "rows": report.rows,
        "total": findings.total,
        "repaired": report.repaired,
        "totals": [
            {"kind": kind, "table": table, "count": count, "hint": HINTS[kind]}
            for (kind, table), count in findings.totals.items()
        ],
        "findings": [plain(one) for one in findings.kept_findings],
    }


def _counted(count: int, noun: str) -> str:
    plural = "indexes" if noun == "index" else "bodies" if noun == "body" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_database
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@_json
def backup(file: Path, database: str, *, force: bool, as_json: bool) -> None:
    """Write one state of an SQLite store into FILE, while the store is in use.

    PostgreSQL and MySQL have programs of their own for that; `lineage-store dump` works on all.
    """
    with progress_bar(f"backup to {file.name}") as show:
        size = write_backup(
            database, file, force=force, progress=lambda count, all_: show("pages", count, all_)
        )
    if as_json:
        click.echo(json.dumps({"file": str(file), "bytes": size}))
    else:
        click.echo(printable(f"{file}: {size} bytes"))


@db.command()
@_database
@click.option(
    "--take-over",
    is_flag=True,
    help="Finish an upgrade that another process began and did not end (MySQL, MariaDB).",
)
@_json
def upgrade(database: str, *, take_over: bool, as_json: bool) -> None:
    """Bring a database to the revision that this version needs; creates an empty one.

    Servers of the version before go on meanwhile.
    """
    before, after = administration.upgrade(database, take_over=take_over)
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        click.echo(f"at {after}")
    else:
        click.echo(f"revision {before or '(empty)'} -> {after}")
