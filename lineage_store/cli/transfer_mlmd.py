"""`lineage-store import mlmd` and `export mlmd`: from and to databases of ML Metadata."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from lineage_store.cli.options import as_url, json_option
from lineage_store.entities.plain import plain, printable
from lineage_store.masking import masked_url
from lineage_store.transfer.mlmd.exporting import export_mlmd
from lineage_store.transfer.mlmd.findings import Finding, Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import Verified, verify_mlmd

Progress = Callable[[int, int], None]


@click.group("import")
def import_group() -> None:
    """Fill an empty store from another one."""


@click.group("export")
def export_group() -> None:
    """Write a store in the form of another one."""


@import_group.command("mlmd")
@click.argument("source", callback=as_url)
@click.option("--into", "target", required=True, metavar="URL", callback=as_url,
    help="Database URL of the store, or the path of an SQLite file.")  # fmt: skip
@click.option("--verify", is_flag=True, help="Read both again afterwards and compare them.")
@json_option
def import_command(source: str, target: str, *, verify: bool, as_json: bool) -> None:
    """Fill an empty store with the database of ML Metadata at SOURCE.

    SOURCE is an SQLite file, mysql://... or postgresql://..., of schema version 8 to 10; it is
    only read. Ids stay the same. To resume an interrupted import, run the same command.
    """
    findings = Findings(_tell)
    with _progress(f"importing {masked_url(source)}", hidden=as_json) as progress:
        result = import_mlmd(source, target, findings, progress)
    verified = None
    if verify:
        with _progress("comparing", hidden=as_json) as progress:
            verified = verify_mlmd(source, target, progress)
    if as_json:
        _echo_json({**plain(result), "problems": _plain(findings), "verified": plain(verified)})
    else:
        _echo_counts("stored", result.stored)
        _echo_verified(verified)
        _echo_findings(findings)
    if verified is not None:
        verified.demand_equal()


@export_group.command("mlmd")
@click.option("--from", "source", required=True, metavar="URL", callback=as_url,
    help="Database URL of the store, or the path of an SQLite file.")  # fmt: skip
@click.option("--to", "target", required=True, metavar="URL", callback=as_url,
    help="Database URL to write, or the path of an SQLite file.")  # fmt: skip
@json_option
def export_command(source: str, target: str, *, as_json: bool) -> None:
    """Write a store into a new database of ML Metadata, of schema version 10.

    The target is an SQLite file, mysql://... or postgresql://..., and missing or empty. Ids stay
    the same. An interrupted export begins anew when you run the same command again.
    """
    findings = Findings(_tell)
    with _progress(f"exporting {masked_url(source)}", hidden=as_json) as progress:
        result = export_mlmd(source, target, findings, progress)
    if as_json:
        _echo_json({**plain(result), "problems": _plain(findings)})
        return
    _echo_counts("stored", result.stored)
    if result.left_behind:
        _echo_counts("ML Metadata has no place for", result.left_behind)
    _echo_findings(findings)


def _tell(finding: Finding) -> None:
    click.echo(printable(str(finding)), err=True)


@contextmanager
def _progress(label: str, *, hidden: bool) -> Iterator[Progress]:
    """Yield a function that moves a bar on standard error, if that is a terminal."""
    if hidden or not sys.stderr.isatty():
        yield lambda *_: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def move(count: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(count - bar.pos)

        yield move


def _plain(findings: Findings) -> dict[str, Any]:
    shown = [
        {"where": each.where, "what": each.message, "done": each.action} for each in findings.shown
    ]
    return {"count": findings.count, "shown": shown}


def _echo_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _echo_counts(title: str, counts: dict[str, int]) -> None:
    listed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    click.echo(f"{title}: {listed}")


def _echo_verified(verified: Verified | None) -> None:
    if verified is None:
        return
    for difference in verified.first:
        click.echo(difference, err=True)
    _echo_counts("equal on both sides", verified.compared)


def _echo_findings(findings: Findings) -> None:
    if findings.count:
        click.echo(f"did not fit as they were: {findings.count}; see above")
