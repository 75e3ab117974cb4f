"""`lineage-store lineage | impact | paths | compare`: the origin and the use of nodes."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import click

from lineage_store.cli import render
from lineage_store.cli.addresses import NODE_HELP, Moment, node_of, nodes_of
from lineage_store.cli.documents import output_option
from lineage_store.cli.numbers import COUNT, HOPS, SECONDS
from lineage_store.cli.options import (
    at_option,
    document_options,
    open_store,
    store_option,
    together,
)
from lineage_store.entities import Artifact
from lineage_store.errors import InvalidArgument
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import GraphNode, digest_of, key_of, parse_key
from lineage_store.lineage.labels import label
from lineage_store.lineage.paths import Paths
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.verdict import Verdict, counted
from lineage_store.store import LineageStore

_FORMATS = ("tree", "table", "dot", "mermaid", "json")

_as_of = together(
    click.option(
        "--as-of",
        type=Moment(),
        metavar="DATE",
        help="Only events up to then: 2026-11-23 (its end) or 2026-11-23T17:30:00, UTC.",
    ),
    click.option(
        "--recorded-as-of",
        type=Moment(),
        metavar="DATE",
        help="Only events that the store had recorded by then.",
    ),
    at_option,
)
_hops = click.option("--hops", type=HOPS, metavar="N", help="Go at most N hops.")
_limits = together(
    click.option("--max-nodes", type=COUNT, metavar="N", help="Answer at most N nodes."),
    click.option(
        "--timeout",
        type=SECONDS,
        metavar="SECONDS",
        help="Stop after SECONDS, and show the nodes found so far.",
    ),
)
EXIT_INCOMPLETE = 4
"""The exit code of a command whose answer is not complete."""

_direction = together(
    click.option("--upstream", "way", flag_value="upstream", help="Its inputs, and their inputs."),
    click.option(
        "--downstream", "way", flag_value="downstream", help="Its outputs, and their outputs."
    ),
    click.option("--both", "way", flag_value="both", help="Both directions."),
)

_show_cached = click.option(
    "--show-cached",
    "--all",
    "show_cached",
    is_flag=True,
    help="Show CACHED executions, too; else they are folded into the ones they repeat.",
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table of a lineage."""

    hop: int
    node: str
    type: str | None
    name: str | None
    state: str | None
    digest: str | None
    uri: str | None


@click.command(epilog=NODE_HELP)
@click.argument("node")
@_direction
@_hops
@click.option("--stop", metavar="WHERE", help="Stop at artifacts that match this filter.")
@click.option(
    "--stop-execution", metavar="WHERE", help="Stop at executions that match this filter."
)
@_show_cached
@_as_of
@_limits
@click.option("--format", "form", type=click.Choice(_FORMATS), default="tree", show_default=True)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@store_option
@output_option
def lineage(
    node: str, url: str, way: str | None, form: str, stop: str | None, stop_execution: str | None,
    **options: Any,
) -> None:  # fmt: skip
    """Show the inputs that NODE was made from, or the outputs made from it.

    Runs that the cache served are folded into the step that really ran: "+29 cached".
    The answer ends with a verdict on all that was walked: complete, or the limit reached. In
    a format for programs the verdict is on standard error.
    """
    stops = {"artifact": stop, "execution": stop_execution}
    options["stop"] = {kind: where for kind, where in stops.items() if where is not None}
    with open_store(url) as store:
        query = store.lineage(nodes_of(store, node))
        result: Lineage = getattr(query, way or Direction.UPSTREAM)(**options)
    _echo_lineage(result, form)
    exit_if_incomplete(result.verdict)


def _echo_lineage(result: Lineage, form: str) -> None:
    if form == "table":
        render.echo_table(tuple(_Row.__dataclass_fields__), [_row(result, n) for n in result.nodes])
    elif form == "json":
        click.echo(result.to_json(indent=2))
    elif form == "tree":
        for line in result.tree_lines():
            click.echo(line)
    else:
        click.echo(result.to_dot() if form == "dot" else result.to_mermaid(), nl=False)
    _echo_folded(result.repeat_count, err=form not in {"tree", "table"})
    _echo_verdict(result.verdict, err=form not in {"tree", "table"})


def _echo_folded(count: int, *, err: bool) -> None:
    """Print how many of the executions that the verdict counts are folded, if there are any."""
    if count:
        repeats = counted(count, "cached execution")
        click.echo(f"folded: {repeats}; --show-cached shows each", err=err)


def _row(result: Lineage, node: GraphNode) -> _Row:
    artifact = node if isinstance(node, Artifact) else Artifact()
    digest = digest_of(artifact)
    repeats = result.repeats.get(key_of(node))
    return _Row(
        hop=result.hop(node),
        node=key_of(node),
        type=node.type,
        name=node.name,
        state=node.state if repeats is None else f"{node.state or '?'} {repeats}",
        digest=None if digest is None else digest.short,
        uri=artifact.uri,
    )


def _echo_verdict(verdict: Verdict, *, err: bool = False, of: str = "") -> None:
    """Print a verdict; one that is not complete on standard error, where no program reads it."""
    click.echo(f"{of}{verdict}", err=err or not verdict.complete)


def exit_if_incomplete(*verdicts: Verdict) -> None:
    """End the command with an exit code of its own if an answer is not complete."""
    if not all(verdict.complete for verdict in verdicts):
        sys.exit(EXIT_INCOMPLETE)


@click.command(epilog=NODE_HELP)
@click.argument("node")
@_hops
@_show_cached
@_as_of
@_limits
@store_option
@document_options
def impact(node: str, url: str, *, as_json: bool, **options: Any) -> None:
    """List everything made from NODE, models first: the things to recall if NODE is bad."""
    with open_store(url) as store:
        result = store.impact(nodes_of(store, node), **options)
    if as_json:
        _echo_json(result.to_dict())
    else:
        for line in result.lines():
            click.echo(line)
    _echo_folded(result.lineage.repeat_count, err=as_json)
    _echo_verdict(result.verdict, err=as_json)
    exit_if_incomplete(result.verdict)


@click.command(epilog=NODE_HELP)
@click.argument("source")
@click.argument("target")
@click.option("--shortest", is_flag=True, help="Only the shortest paths.")
@click.option("--any-direction", is_flag=True, help="In any direction of the data flow.")
@click.option("--limit", type=COUNT, default=10, show_default=True, help="Show at most this many.")
@_hops
@_show_cached
@_as_of
@_limits
@store_option
@document_options
def paths(
    source: str, target: str, url: str, *, as_json: bool, shortest: bool, any_direction: bool,
    limit: int, **options: Any,
) -> None:  # fmt: skip
    """Show the paths from the NODE source to the NODE target, the shortest first.

    A path over a CACHED repeat of a step is left out if one leads over the step.
    """
    with open_store(url) as store:
        result = store.find_paths(
            node_of(store, source),
            node_of(store, target),
            direction=Direction.BOTH if any_direction else Direction.DOWNSTREAM,
            shortest_only=shortest,
            max_paths=limit,
            **options,
        )
    if as_json:
        _echo_json(result.to_dict())
    else:
        _echo_paths(result)
    _echo_folded(result.repeat_count, err=as_json)
    _echo_verdict(result.verdict, err=as_json)
    exit_if_incomplete(result.verdict)


def _echo_paths(paths: Paths) -> None:
    for at, path in enumerate(paths, start=1):
        click.echo(f"Path {at}: {len(path)} hops")
        for line in str(path).splitlines():
            click.echo(f"  {line}")
    if not paths.paths:
        click.echo("no path")


@click.command(epilog=NODE_HELP)
@click.argument("left")
@click.argument("right")
@_as_of
@_limits
@store_option
@document_options
def compare(left: str, right: str, url: str, *, as_json: bool, **options: Any) -> None:
    """Say why two artifacts differ: data, code, parameters, environment and steps upstream."""
    with open_store(url) as store:
        ids = [_artifact_id(store, address) for address in (left, right)]
        comparison = store.compare(*ids, **options)
        sides = store.get_artifacts(ids)
    if as_json:
        _echo_json(comparison.to_dict())
    else:
        for line in (*map(label, sides), *comparison.lines()):
            click.echo(line)
    verdicts = {"left: ": comparison.left_verdict, "right: ": comparison.right_verdict}
    for side, verdict in verdicts.items():
        _echo_verdict(verdict, err=as_json, of=side)
    exit_if_incomplete(*verdicts.values())


def _artifact_id(store: LineageStore, address: str) -> int:
    kind, node_id = parse_key(node_of(store, address))
    if kind != "artifact":
        raise InvalidArgument(f"{address} is not an artifact; only artifacts can be compared")
    return node_id


def _echo_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
