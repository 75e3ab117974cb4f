"""`lineage-store cache`: look at cache entries, explain misses, invalidate."""

import getpass
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from lineage_store import errors
from lineage_store.cache.canonical import decode, encode
from lineage_store.cache.comparison import STEP, nearest
from lineage_store.cache.keys import Component
from lineage_store.cli import render
from lineage_store.cli.addresses import Moment, artifact_ids
from lineage_store.cli.numbers import ID
from lineage_store.cli.options import (
    cache_store_option,
    document_options,
    json_option,
    open_store,
    together,
)
from lineage_store.client.cache_answers import CacheEntry, Explanation
from lineage_store.entities import Execution, ExecutionState
from lineage_store.entities.plain import plain, printable
from lineage_store.recording.naming import CACHE_DECISION
from lineage_store.store import LineageStore

_SHORT = 12
_PAGES = 10
"""Pages of a hundred entries among which the nearest one is looked for."""
_COLUMNS = ("id", "scope", "key", "execution", "step", "published_at", "hits", "state")


class _Key(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic from 8.4 on
    """The digest of a key in hexadecimal."""

    name = "key"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return its 32 bytes."""
        if isinstance(value, bytes):
            return value
        if not re.fullmatch(r"[0-9a-fA-F]{64}", str(value)):
            self.fail(f"{value!r} is not a key: 64 hexadecimal digits", param, ctx)
        return bytes.fromhex(str(value))


class _Component(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic from 8.4 on
    """A component of keys as NAME=VALUE; a VALUE that is no canonical text stands for itself."""

    name = "component"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Component:
        """Return the component."""
        if isinstance(value, Component):
            return value
        name, sign, text = str(value).partition("=")
        if not (name and sign):
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        try:
            decode(text)
        except errors.InvalidArgument:
            text = encode(text)
        return Component(name, text)


_selection = together(
    click.option("--scope", metavar="SCOPE", help="Only entries of this scope."),
    click.option("--key", "keys", type=_Key(), multiple=True, metavar="HEX", help="Of this key."),
    click.option(
        "--execution",
        "executions",
        type=ID,
        multiple=True,
        metavar="ID",
        help="Of this execution.",
    ),
    click.option(
        "--artifact",
        "artifacts",
        multiple=True,
        metavar="NODE",
        help="With this output: an id, or ./table.csv, or any NODE of `lineage`.",
    ),
    click.option(
        "--context", "contexts", type=ID, multiple=True, metavar="ID", help="Of this context."
    ),
    click.option(
        "--component",
        type=_Component(),
        metavar="NAME=VALUE",
        help="With this component, such as parameters.depth=6 or code=sha256:9f86….",
    ),
    click.option(
        "--published-before", type=Moment(), metavar="DATE", help="Published earlier than this."
    ),
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a table of entries."""

    id: int
    scope: str
    key: str
    execution: int
    step: str
    published_at: int
    hits: int
    state: str


@click.group()
def cache() -> None:
    """List, explain and invalidate cache entries."""


@cache.command("list")
@_selection
@click.option("--invalidated", "include_invalidated", is_flag=True, help="Also the invalidated.")
@click.option(
    "--limit", type=click.IntRange(min=1, max=100), default=20, show_default=True,
    help="List at most this many.",
)  # fmt: skip
@click.option("--page-token", metavar="TOKEN", help="Continue where a listing stopped.")
@cache_store_option
@document_options
def list_entries(url: str, *, as_json: bool, **options: Any) -> None:
    """List entries, the newest first."""
    with open_store(url) as store:
        options["artifacts"] = artifact_ids(store, options["artifacts"])
        page = store.cache.list(**options)
    _echo_entries(page.items, as_json=as_json)
    if page.next_page_token:
        click.echo(f"more: --page-token {page.next_page_token}", err=True)


@cache.command()
@_selection
@click.option("--transitive", is_flag=True, help="Also entries derived from their outputs.")
@click.option("--why", required=True, metavar="TEXT", help="Reason; steps that miss report it.")
@click.option("--by", metavar="NAME", help="Your name.  [default: USER@HOST]")
@click.option("--dry-run", is_flag=True, help="Only show the entries.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@cache_store_option
@json_option
def invalidate(
    url: str, *, as_json: bool, dry_run: bool, yes: bool, by: str | None, **options: Any
) -> None:
    """Invalidate the entries that match all options, so that they never hit again.

    The command shows them first and changes nothing until you confirm or pass --yes.
    """
    if not any(value for name, value in options.items() if name not in {"transitive", "why"}):
        raise click.UsageError("say which entries, such as --execution 7 or --component code=…")
    options["by"] = by or _user()
    with open_store(url) as store:
        options["artifacts"] = artifact_ids(store, options["artifacts"])
        if dry_run or not yes:
            entries = store.cache.invalidate(dry_run=True, **options)
        if not dry_run and (yes or _is_confirmed(entries)):
            entries = store.cache.invalidate(**options)
            click.echo(f"invalidated {_counted(entries)}", err=True)
    if as_json or dry_run or yes:
        _echo_entries(entries, as_json=as_json)


def _is_confirmed(entries: Sequence[CacheEntry]) -> bool:
    """Show what would be invalidated and ask; without entries there is nothing to ask."""
    _echo_table(entries, err=True)
    return bool(entries) and click.confirm(f"Invalidate {_counted(entries)}?", abort=True, err=True)


def _user() -> str:
    """Return the user of this process, as user@host."""
    with suppress(OSError, KeyError, ImportError):
        return f"{getpass.getuser()}@{socket.gethostname()}"
    return "unknown"


def _counted(entries: Sequence[CacheEntry]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"


@cache.command()
@click.argument("execution", type=ID)
@click.option("--against", type=ID, metavar="ID", help="Compare with the entry of this execution.")
@cache_store_option
@document_options
def explain(url: str, execution: int, against: int | None, *, as_json: bool) -> None:
    """Say why EXECUTION ran and was not served from the cache: which parts of its key were new.

    It is compared with the nearest entry that was there before, or with that of --against.
    """
    with open_store(url) as store:
        ran = store.get_execution(execution)
        explanation = _explanation(store, ran, against)
    if as_json:
        _echo_json(_explanation_to_json(explanation))
        return
    decision = ran.custom_properties.get(CACHE_DECISION)
    if decision is not None:
        click.echo(printable(f"execution {execution}: {decision}"))
    for line in _lines(explanation):
        click.echo(line)


def _explanation(store: LineageStore, ran: Execution, against: int | None) -> Explanation:
    """Return the differences of the entry of an execution.

    Raises:
        FailedPrecondition: The execution was served from the cache.
        NotFound: It has no entry.
    """
    if ran.state is ExecutionState.CACHED:
        raise errors.FailedPrecondition(f"execution {ran.id} was served from the cache")
    page = store.cache.list(executions=[ran.id or 0], include_invalidated=True, limit=1)
    if not page.items:
        raise errors.NotFound(f"execution {ran.id} published no cache entry")
    [entry] = page.items
    if against is None:
        earlier = nearest(_earlier(store, entry), _by_name(entry))
        if earlier is None:
            return Explanation(nearest=None, differences=(), equal_components=0)
        against = earlier.execution_id
    return store.cache.explain(entry.components, scope=entry.scope, execution=against)


def _earlier(
    store: LineageStore, entry: CacheEntry
) -> Iterator[tuple[CacheEntry, Mapping[str, str]]]:
    """Yield entries of the same kind of step that were published before one, newest first."""
    step = next((each for each in entry.components if each.name == STEP), None)
    token: str | None = None
    for _ in range(_PAGES):
        page = store.cache.list(
            scope=entry.scope,
            component=step,
            include_invalidated=True,
            limit=100,
            page_token=token,
        )
        yield from ((each, _by_name(each)) for each in page if each.id < entry.id)
        token = page.next_page_token
        if token is None:
            return


def _by_name(entry: CacheEntry) -> dict[str, str]:
    return {component.name: component.value for component in entry.components}


def _lines(explanation: Explanation) -> Iterator[str]:
    """Yield an explanation for people: the entry it was compared with, and each difference."""
    if explanation.nearest is None:
        yield "there is no earlier entry to compare with"
        return
    where = f"execution {explanation.nearest.execution_id}"
    if not explanation.differences:
        yield printable(f"the key is that of {where}, whose entry is {_state(explanation.nearest)}")
        return
    same = "1 is" if explanation.equal_components == 1 else f"{explanation.equal_components} are"
    yield f"compared with {where}, of whose components {same} the same:"
    for it in explanation.differences:
        yield f"  {printable(it.name)}: {_shown(it.stored)} → {_shown(it.given)}"


def _shown(text: str | None) -> str:
    return "(none)" if text is None else _LONG_HEX.sub(lambda hit: hit[0][:_SHORT], printable(text))


_LONG_HEX = re.compile(r"\b[0-9a-f]{20,}\b")


@cache.command()
@click.option("--scope", metavar="SCOPE", help="Only of this scope.")
@cache_store_option
@document_options
def stats(url: str, scope: str | None, *, as_json: bool) -> None:
    """Count entries, hits and claims."""
    with open_store(url) as store:
        counts = store.cache.stats(scope=scope)
    if as_json:
        render.echo_json(counts)
    else:
        render.echo_item(counts)


def _echo_entries(entries: Sequence[CacheEntry], *, as_json: bool) -> None:
    if as_json:
        _echo_json([_entry(entry) for entry in entries])
    else:
        _echo_table(entries)


def _echo_table(entries: Sequence[CacheEntry], *, err: bool = False) -> None:
    render.echo_table(_COLUMNS, [_row(entry) for entry in entries], err=err)


def _row(entry: CacheEntry) -> _Row:
    names = _by_name(entry)
    return _Row(
        id=entry.id,
        scope=entry.scope,
        key=entry.digest.hex()[:_SHORT],
        execution=entry.execution_id,
        step=names.get(STEP, "-").strip('"'),
        published_at=entry.published_at,
        hits=entry.hit_count,
        state=_state(entry),
    )


def _state(entry: CacheEntry) -> str:
    if entry.invalidated_at is None:
        is_over = entry.expires_at is not None and entry.expires_at <= time.time() * 1000
        return "EXPIRED" if is_over else "VALID"
    return f"INVALIDATED by {entry.invalidated_by}: {entry.invalidated_why}"


def _entry(entry: CacheEntry) -> dict[str, Any]:
    """Return an entry in terms of JSON; its key in hexadecimal, components as canonical text."""
    fields: dict[str, Any] = plain(entry)
    del fields["digest"]
    return fields | {"key": entry.digest.hex(), "components": _by_name(entry)}


def _explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    nearest = None if explanation.nearest is None else _entry(explanation.nearest)
    return {**plain(explanation), "nearest": nearest}


def _echo_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
