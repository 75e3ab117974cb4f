"""`lineage-store db`: the schema of a database."""

import json

import click

from lineage_store import errors
from lineage_store.database import administration

_database = click.option(
    "--database",
    default="sqlite:///lineage.db",
    show_default=True,
    envvar="LINEAGE_STORE_DATABASE",
    show_envvar=True,
    help="Database URL.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def db() -> None:
    """Look at and upgrade the schema of a database."""


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
def check(database: str) -> None:
    """Exit 0 if the database can be used as it is, otherwise say what to do."""
    status = administration.status(database)
    if status.revision is None:
        raise errors.FailedPrecondition(
            "the database is empty; `lineage-store db upgrade` fills it"
        )
    administration.check_revision(status.revision)
    problems = administration.integrity_problems(database)
    if problems:
        raise errors.DataLoss(f"the database file is damaged: {problems[0]}")
    click.echo(f"revision {status.revision} is current; the file is sound")


@db.command()
@_database
@click.option(
    "--take-over",
    is_flag=True,
    help="Finish an upgrade that another process began and did not end (MySQL, MariaDB).",
)
def upgrade(database: str, *, take_over: bool) -> None:
    """Bring a database to the revision that this version needs; creates an empty one.

    Servers of the version before go on meanwhile.
    """
    before, after = administration.upgrade(database, take_over=take_over)
    click.echo(f"revision {before or '(empty)'} -> {after}" if before != after else f"at {after}")
