"""`lineage-store audit`: the questions of an audit, and a report of all of them on one model."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from lineage_store.cli import render
from lineage_store.cli.addresses import NODE_HELP, Moment, node_of
from lineage_store.cli.lineage import EXIT_INCOMPLETE
from lineage_store.cli.numbers import COUNT, ID, SECONDS
from lineage_store.cli.options import (
    at_option,
    document_options,
    open_store,
    store_option,
    together,
)

if TYPE_CHECKING:
    from lineage_store.audit.answer import Audit
    from lineage_store.store import LineageStore

Ask = Callable[..., "Audit"]

MAX_SHOWN = 200
"""Findings, and missing facts, that are printed for people; --json prints all of them."""

_date = Moment()
_happened = click.option(
    "--as-of",
    type=_date,
    metavar="DATE",
    help="Only events that had happened by then: 2026-11-23 (its end) or 2026-11-23T17:30:00, UTC.",
)
_walk = together(
    _happened,
    click.option("--max-nodes", type=COUNT, metavar="N", help="Walk at most N nodes."),
    click.option("--timeout", type=SECONDS, metavar="SECONDS", help="Walk for SECONDS at most."),
)
_common = together(at_option, store_option, document_options)


@click.group()
def audit() -> None:
    """Answer the questions of an audit, with all that is missing for a better answer.

    The exit code is 4 if an answer is UNKNOWN.
    """


def _command(name: str, *parameters: Callable[[Any], Any], text: str) -> Callable[[Ask], Ask]:
    """Return a decorator that makes a command of a function which asks a store a question."""

    def decorate(ask: Ask) -> Ask:
        def command(url: str, *, as_json: bool, **options: Any) -> None:
            with open_store(url) as store:
                answer = ask(store, **options)
            echo_answer(answer, as_json=as_json)

        decorated: Any = together(*parameters, _common)(command)
        audit.command(name, help=text, epilog=NODE_HELP)(decorated)
        return ask

    return decorate


_artifact = click.argument("node", metavar="NODE")
_model = click.argument("node", metavar="MODEL")


def _key(store: "LineageStore", node: str) -> str:
    """Return the key of the artifact that an argument names; print a remark on it."""
    return node_of(store, node)


@_command(
    "origins",
    _artifact,
    click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only data of this role."),
    _walk,
    text="Show the data, code, images and parameters that reached NODE, and who ran it.\n\n"
    "Roles are TRAINING, VALIDATION, TEST, BASE_MODEL and FEATURES.",
)
def _origins(store: "LineageStore", node: str, **options: Any) -> "Audit":
    return store.audit.origins(_key(store, node), **options)


@_command(
    "independence",
    _model,
    click.option(
        "--test", "tests", multiple=True, metavar="NODE", help="An artifact that tested it."
    ),
    _walk,
    text="Say whether the training data and the test data of MODEL share content.",
)
def _independence(
    store: "LineageStore", node: str, tests: tuple[str, ...], **options: Any
) -> "Audit":
    named = [_key(store, test) for test in tests]
    return store.audit.independence(_key(store, node), named, **options)


@_command(
    "recall",
    _artifact,
    click.option("--stage", "stages", multiple=True, metavar="STAGE", help="Only in this stage."),
    _walk,
    text="List everything made from NODE, models first, with stages.",
)
def _recall(store: "LineageStore", node: str, **options: Any) -> "Audit":
    return store.audit.recall(_key(store, node), **options)


@_command(
    "paths",
    click.argument("source"),
    click.argument("target"),
    click.option("--limit", "max_paths", type=COUNT, default=10, show_default=True,
                 help="Show at most this many."),
    _walk,
    text="Show the ways from artifact SOURCE to artifact TARGET, event by event.",
)  # fmt: skip
def _paths(store: "LineageStore", source: str, target: str, **options: Any) -> "Audit":
    return store.audit.paths(_key(store, source), _key(store, target), **options)


@_command(
    "differences",
    click.argument("left"),
    click.argument("right"),
    _walk,
    text="Show the differences between two artifacts and all that they were made from.",
)
def _differences(store: "LineageStore", left: str, right: str, **options: Any) -> "Audit":
    return store.audit.differences(_key(store, left), _key(store, right), **options)


@_command(
    "executed-or-cached",
    _artifact,
    text="Say whether NODE, an artifact or an execution, ran or was served from the cache.",
)
def _executed_or_cached(store: "LineageStore", node: str) -> "Audit":
    return store.audit.executed_or_cached(_key(store, node))


@_command("rerun-plan", _artifact, _walk, text="Show the steps that make NODE again, in order.")
def _rerun_plan(store: "LineageStore", node: str, **options: Any) -> "Audit":
    return store.audit.rerun_plan(_key(store, node), **options)


@_command(
    "used-by",
    click.argument("kind", type=click.Choice(["commit", "image", "library"])),
    click.argument("value"),
    text="List the executions that used a commit, an image or a library.\n\n"
    "VALUE is a commit or a digest, or its first 7 digits; the name of an image; or "
    "numpy==1.26.4.",
)
def _used_by(store: "LineageStore", **options: Any) -> "Audit":
    return store.audit.used_by(**options)


@_command(
    "third-party", _artifact, _walk, text="List ancestors of NODE with suppliers and licences."
)
def _third_party(store: "LineageStore", node: str, **options: Any) -> "Audit":
    return store.audit.third_party(_key(store, node), **options)


@_command(
    "labels",
    _artifact,
    click.option("--label", "labels", multiple=True, metavar="LABEL", help="Only this label."),
    _walk,
    text="List the labels that NODE inherits, such as personal data and purposes.",
)
def _labels(store: "LineageStore", node: str, **options: Any) -> "Audit":
    return store.audit.labels(_key(store, node), **options)


@_command(
    "between",
    _artifact,
    click.option("--after", type=_date, required=True, metavar="DATE", help="Recorded after then."),
    click.option("--until", type=_date, required=True, metavar="DATE", help="And by then."),
    text="List everything recorded about NODE between two times, with old and new values.",
)
def _between(store: "LineageStore", node: str, after: datetime, until: datetime) -> "Audit":
    return store.audit.between(_key(store, node), after, until)


@_command(
    "late-records",
    click.option("--later-than", type=SECONDS, default=3600.0, show_default=True,
                 metavar="SECONDS", help="Recorded so long after it happened."),
    click.option("--recorded-after", type=_date, metavar="DATE", help="Only recorded after then."),
    text="List events that were recorded long after they had happened.",
)  # fmt: skip
def _late_records(store: "LineageStore", **options: Any) -> "Audit":
    return store.audit.late_records(**options)


@_command(
    "gaps",
    click.argument("node", metavar="[NODE]", required=False),
    text="List where the record ends too early, in the store or in the lineage of NODE.",
)
def _gaps(store: "LineageStore", node: str | None) -> "Audit":
    return store.audit.gaps(None if node is None else _key(store, node))


@_command(
    "learned-later",
    _artifact,
    click.option(
        "--moment", type=_date, required=True, metavar="DATE", help="The time to look at."
    ),
    text="List events of NODE's origins that had happened by a time, and were recorded later.",
)
def _learned_later(store: "LineageStore", node: str, moment: datetime) -> "Audit":
    return store.audit.learned_later(_key(store, node), moment)


@_command(
    "inventory",
    click.option("--stage", "stages", multiple=True, metavar="STAGE", help="Only in this stage."),
    text="List all models with stage, owner, risk tier and validation.",
)
def _inventory(store: "LineageStore", **options: Any) -> "Audit":
    return store.audit.inventory(**options)


@_command("monitoring", _model, _walk, text="List the records of quality that came after MODEL.")
def _monitoring(store: "LineageStore", node: str, **options: Any) -> "Audit":
    return store.audit.monitoring(_key(store, node), **options)


@_command(
    "counts",
    click.option("--context", type=ID, metavar="ID", help="Only members of this context."),
    text="Count nodes and events by type.",
)
def _counts(store: "LineageStore", **options: Any) -> "Audit":
    return store.audit.counts(**options)


def echo_answer(answer: "Audit", *, as_json: bool) -> None:
    """Print an answer, and end the command with exit code 4 if it is UNKNOWN."""
    if as_json:
        render.echo_json(answer.to_dict())
    else:
        for line in answer.lines(MAX_SHOWN):
            click.echo(line)
    if not answer.is_known:
        raise SystemExit(EXIT_INCOMPLETE)
