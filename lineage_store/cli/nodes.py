"""`lineage-store types | artifacts | executions | contexts | events`: look at stored nodes."""

from collections.abc import Callable
from typing import Any

import click

from lineage_store import errors
from lineage_store.cli import render
from lineage_store.cli.addresses import artifact_ids
from lineage_store.cli.history import history_command
from lineage_store.cli.nearest import check_type
from lineage_store.cli.numbers import COUNT, ID
from lineage_store.cli.options import (
    at_option,
    document_options,
    open_store,
    store_option,
    together,
)
from lineage_store.entities.plain import plain
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind
from lineage_store.limits import MAX_PAGE
from lineage_store.store import LineageStore

_COLUMNS = {
    ARTIFACT: ("id", "type", "name", "state", "update_time", "uri"),
    EXECUTION: ("id", "type", "name", "state", "create_time", "update_time"),
    CONTEXT: ("id", "type", "name", "create_time", "update_time"),
}
_EVENT_COLUMNS = ("artifact_id", "execution_id", "type", "path", "time")
_TYPE_COLUMNS = ("id", "name", "version", "properties")
_ORDERS = click.Choice(["id", "create_time", "update_time"])

_listing = together(
    click.option("--type", "type_name", metavar="NAME", help="Only those of this type."),
    click.option("--type-version", metavar="VERSION", help="The version of the type."),
    click.option("--where", metavar="EXPR", help="Only those for which this filter holds."),
    click.option(
        "--limit",
        type=COUNT,
        default=20,
        show_default=True,
        help="List at most this many.",
    ),
    click.option("--page-token", metavar="TOKEN", help="Continue where a listing stopped."),
    click.option("--order-by", type=_ORDERS, default="id", show_default=True),
    click.option("--desc", is_flag=True, help="Largest or latest first."),
    at_option,
    store_option,
    document_options,
)
_choosing = together(
    click.argument("id", type=ID, required=False),
    click.option("--type", "type_name", metavar="NAME", help="With --name: choose by both."),
    click.option("--type-version", metavar="VERSION", help="The version of the type."),
    click.option("--name", metavar="NAME"),
    click.option("--external-id", metavar="ID"),
    at_option,
    store_option,
    document_options,
)
_context = click.option("--context", type=ID, metavar="ID", help="Only those in this context.")


def _node_group(kind: NodeKind) -> click.Group:
    """Return the group of commands on one kind of node."""
    group = click.Group(kind.plural, help=f"Look at {kind.plural}.")
    group.add_command(_list_command(kind))
    group.add_command(_get_command(kind))
    group.add_command(history_command(kind))
    return group


def _list_command(kind: NodeKind) -> click.Command:
    def list_nodes(url: str, *, as_json: bool, limit: int, desc: bool, **options: Any) -> None:
        if options.get("context") is not None and options["type_name"] is not None:
            raise click.UsageError("--type and --context exclude each other")
        if options["type_version"] is not None and options["type_name"] is None:
            raise click.UsageError("--type-version needs --type")
        options["type"] = options.pop("type_name")
        with open_store(url) as store:
            page = getattr(store, f"list_{kind.plural}")
            items, token = _gather(page, limit, ascending=not desc, **options)
            if not items:
                _check_existence(store, kind, **options)
        _echo_list(_COLUMNS[kind], items, as_json=as_json)
        if token:
            click.echo(f"more: --page-token {token}", err=True)

    options = _listing if kind is CONTEXT else together(_context, _listing)
    return click.command("list", help=f"List {kind.plural}.")(options(list_nodes))


def _check_existence(
    store: LineageStore,
    kind: NodeKind,
    *,
    type: str | None,  # noqa: A002 - the option of `list_artifacts` has this name
    type_version: str | None,
    context: int | None = None,
    **_: Any,
) -> None:
    """Check that the type and the context that a listing named exist."""
    if type is not None:
        check_type(store, kind, type, type_version)
    if context is not None:
        store.get_context(context)


def _gather(
    page: Callable[..., Any], limit: int, page_token: str | None, **options: Any
) -> tuple[list[Any], str | None]:
    """Return up to `limit` items from as many pages as it takes, and the token of the next one."""
    items: list[Any] = []
    while len(items) < limit:
        size = min(MAX_PAGE, limit - len(items))
        listing = page(limit=size, page_token=page_token, **options)
        items += listing.items
        page_token = listing.next_page_token
        if page_token is None:
            break
    return items, page_token


def _get_command(kind: NodeKind) -> click.Command:
    def get_node(url: str, *, as_json: bool, type_name: str | None, **choice: Any) -> None:
        _check_choice(type_name=type_name, **choice)
        with open_store(url) as store:
            node = getattr(store, f"get_{kind.name}")(type=type_name, **choice)
        _echo_one(node, as_json=as_json)

    text = f"Show one {kind.name}, by ID, by --type and --name, or by --external-id."
    return click.command("get", help=text)(_choosing(get_node))


def _check_choice(
    *,
    id: int | None,  # noqa: A002 - the argument has this name
    type_name: str | None,
    type_version: str | None,
    name: str | None,
    external_id: str | None,
) -> None:
    if (type_name is None) != (name is None):
        raise click.UsageError("--type and --name go together")
    if type_version is not None and type_name is None:
        raise click.UsageError("--type-version needs --type")
    if sum(way is not None for way in (id, name, external_id)) != 1:
        raise click.UsageError("give ID, or --type and --name, or --external-id")


def _echo_list(columns: tuple[str, ...], items: list[Any], *, as_json: bool) -> None:
    if as_json:
        render.echo_json(items)
    else:
        render.echo_table(columns, items)


def _echo_one(item: object, *, as_json: bool) -> None:
    if as_json:
        render.echo_json(item)
    else:
        render.echo_item(item)


@click.group()
def types() -> None:
    """Look at the types of artifacts, executions and contexts."""


_kind = click.option(
    "--kind",
    type=click.Choice([kind.name for kind in KINDS] + ["all"]),
    default="all",
    show_default=True,
)


def _kinds_of(kind: str) -> list[NodeKind]:
    return [each for each in KINDS if kind in {each.name, "all"}]


@types.command("list")
@_kind
@store_option
@document_options
def list_types(url: str, kind: str, *, as_json: bool) -> None:
    """List types, without the system types."""
    with open_store(url) as store:
        node_types = [
            _Typed(node_type)
            for each in _kinds_of(kind)
            for node_type in getattr(store, f"list_{each.name}_types")()
        ]
    if as_json:
        render.echo_json([typed.plain() for typed in node_types])
    else:
        render.echo_table(("kind", *_TYPE_COLUMNS), node_types)


@types.command("get")
@click.argument("name")
@click.option("--version", metavar="VERSION", help="None: the type without version.")
@_kind
@store_option
@document_options
def get_type(url: str, name: str, version: str | None, kind: str, *, as_json: bool) -> None:
    """Show the type of a name."""
    with open_store(url) as store:
        candidates = [getattr(store, f"find_{k.name}_type")(name, version) for k in _kinds_of(kind)]
    node_types = [node_type for node_type in candidates if node_type is not None]
    if not node_types:
        raise errors.NotFound(f"no type has the name {name!r} and the version {version or ''!r}")
    if len(node_types) > 1:
        kinds = ", ".join(node_type.kind.name for node_type in node_types)
        raise errors.InvalidArgument(f"{name!r} is a type of {kinds}; choose one with --kind")
    if as_json:
        render.echo_json(_Typed(node_types[0]).plain())
    else:
        render.echo_item(node_types[0])


class _Typed:
    """A type with its kind as a field."""

    def __init__(self, node_type: Any) -> None:  # noqa: ANN401 - a type of any kind
        self._type = node_type
        self.kind: str = node_type.kind.name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any field of it
        return getattr(self._type, name)

    def plain(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        return {"kind": self.kind, **plain(self._type)}


@click.group()
def events() -> None:
    """Look at the events between artifacts and executions."""


@events.command("list")
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    metavar="NODE",
    help="As `lineage` takes it; repeatable.",
)
@click.option("--execution", "executions", type=ID, multiple=True, metavar="ID", help="Repeatable.")
@store_option
@document_options
def list_events(
    url: str, artifacts: tuple[str, ...], executions: tuple[int, ...], *, as_json: bool
) -> None:
    """List the events of artifacts or of executions."""
    if bool(artifacts) == bool(executions):
        raise click.UsageError("give either --artifact or --execution, once or more")
    with open_store(url) as store:
        ids = artifact_ids(store, artifacts)
        rows = store.list_events(artifact=ids or None, execution=executions or None)
    _echo_list(_EVENT_COLUMNS, rows, as_json=as_json)


artifacts, executions, contexts = map(_node_group, KINDS)
