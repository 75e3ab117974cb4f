"""`lineage-store spool`: records that wait on this machine until their store is back."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lineage_store import errors
from lineage_store.cli import render
from lineage_store.cli.documents import output_option
from lineage_store.cli.options import URL_VARIABLE, json_option, tls_files, tls_options, together
from lineage_store.client.addresses import located
from lineage_store.entities.plain import plain, printable
from lineage_store.masking import MASK, masked_url
from lineage_store.recording.delivery.losses import add_losses
from lineage_store.recording.delivery.replay import (
    Replayed,
    SpoolDamaged,
    SpoolStatus,
    losses_path,
    replay,
    spool_beside,
    spool_path,
    spool_paths,
    spool_status,
)
from lineage_store.recording.delivery.salvage import recover
from lineage_store.store import connect

_COLUMNS = ("pending", "refused", "lost", "oldest", "bytes", "url", "path")

_CONNECT_SECONDS = 3.0
"""Seconds to wait for a store: a person who replays knows whether it is back."""

_selection = together(
    click.option(
        "--file",
        "files",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        metavar="PATH",
        help="This spool file or journal.  [default: all of this user]",
    ),
    click.option(
        "--store",
        "url",
        metavar="URL",
        help="Of the store at this URL; with --file, where replay sends it to.",
    ),
    tls_options,
    json_option,
)


@dataclass(frozen=True, slots=True)
class _ReplayResult:
    """The result for one file."""

    path: str
    url: str
    replayed: Replayed


@click.group()
def spool() -> None:
    """Show records that wait on this machine, and replay them."""


@spool.command()
@_selection
@output_option
def status(files: tuple[Path, ...], url: str | None, *, as_json: bool) -> None:
    """Show how many records wait, were refused and were lost, and for which store."""
    statuses, failures = _statuses(_selected_paths(files, url))
    if as_json:
        _echo_json([_plain(status) for status in statuses])
    else:
        render.echo_table(_COLUMNS, statuses)
        for status in statuses:
            _echo_reasons("refused", status.refusals)
            _echo_reasons("lost", status.losses)
    if failures:
        raise failures[0]


def _selected_paths(files: tuple[Path, ...], url: str | None) -> list[Path]:
    """Return the files that are named, else that of a store, else all of this user."""
    if files:
        return list(dict.fromkeys(spool_beside(path) for path in files))
    if url is not None:
        return [spool_path(url)]
    return spool_paths()


def _statuses(paths: Sequence[Path]) -> tuple[list[SpoolStatus], list[errors.LineageError]]:
    """Return the status of each file, and the errors of those that can't be read."""
    statuses: list[SpoolStatus] = []
    failures: list[errors.LineageError] = []
    for path in paths:
        try:
            statuses.append(spool_status(path))
        except (SpoolDamaged, errors.Unavailable) as error:
            failures.append(error)
    return statuses, failures


def _echo_reasons(verb: str, reasons: dict[str, int]) -> None:
    for why, count in reasons.items():
        click.echo(f"{verb} {count}: {printable(why)}")


@spool.command("replay")
@_selection
@click.option(
    "--recover", "repair", is_flag=True, help="Save the intact records of a damaged file."
)
def replay_files(files: tuple[Path, ...], url: str | None, *, as_json: bool, repair: bool) -> None:
    """Record the waiting records in order, each once; then retry the refused ones.

    Each file goes to the store that it was made for, or to --store. The exit code is 0 only if
    nothing is left.
    """
    paths = _selected_paths(files, url)
    if repair:
        for path in paths:
            _recover(path)
    statuses, failures = _statuses(paths)
    results = [_replay(status, url) for status in statuses if status.pending or status.refused]
    if as_json:
        _echo_json([plain(one) for one in results])
    else:
        _echo_results(results)
    if failures:
        raise failures[0]
    _demand_all_sent(results)


def _recover(path: Path) -> None:
    saved = recover(path)
    if saved is not None:
        lost_count = "an unknown number" if saved.lost is None else saved.lost
        if saved.lost:
            add_losses(losses_path(path), {"the spool was damaged": saved.lost})
        click.echo(f"saved {saved.saved} records, lost {lost_count}: {saved.damaged}", err=True)


def _replay(status: SpoolStatus, url: str | None) -> _ReplayResult:
    """Replay one file, with a bar on standard error if that is a terminal."""
    target = url or _target(status)
    shown = masked_url(target)
    with (
        connect(target, connect_timeout=_CONNECT_SECONDS, **tls_files()) as store,
        click.progressbar(
            length=status.pending + status.refused, label=shown, file=sys.stderr
        ) as bar,
    ):
        replayed = replay(store, status.path, lambda count, _: bar.update(count - bar.pos))
    return _ReplayResult(str(status.path), shown, replayed)


def _target(status: SpoolStatus) -> str:
    """Return the URL of the store that a file is for; its password is in the environment alone.

    Raises:
        InvalidArgument: The file does not say which store, or the store needs a password.
    """
    named = os.environ.get(URL_VARIABLE, "")
    if named and masked_url(located(named)) == status.url:
        return named
    if status.url is None:
        raise errors.InvalidArgument(f"{status.path} does not say for which store; give --store")
    if MASK in status.url:
        raise errors.InvalidArgument(
            f"the password of {status.url} is not kept on disk; give --store or {URL_VARIABLE}"
        )
    return status.url


def _echo_results(results: Sequence[_ReplayResult]) -> None:
    for one in results:
        it = one.replayed
        click.echo(f"{one.url}: {it.sent} sent, {it.refused} refused, {it.left} left")
    if not results:
        click.echo("nothing waits")


def _demand_all_sent(results: Sequence[_ReplayResult]) -> None:
    waiting_count = sum(one.replayed.left for one in results)
    if waiting_count:
        raise errors.Unavailable(
            f"the store went away, or fails on them: {waiting_count} records wait for "
            "another replay"
        )
    refused = sum(one.replayed.refused for one in results)
    if refused:
        raise errors.FailedPrecondition(
            f"{refused} records were refused and stay in their file; `spool status` says why"
        )


def _plain(status: SpoolStatus) -> dict[str, Any]:
    fields: dict[str, Any] = plain(status)
    return fields | {"path": str(status.path)}


def _echo_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
