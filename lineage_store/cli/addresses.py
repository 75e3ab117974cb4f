"""Addresses of nodes and moments on the command line."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import click

from lineage_store import errors
from lineage_store.client.notation import NamedNodes
from lineage_store.entities.plain import printable
from lineage_store.lineage.identity import parse_key
from lineage_store.store import LineageStore

NODE_HELP = """\b
A NODE is one of
  12                        the artifact with id 12
  artifact:12, execution:7  a node by kind and id
  TYPE/NAME                 an artifact by type and name
  execution:TYPE/NAME       an execution by type and name
  uri:URI                   the artifacts at a URI; a path is one from here
  digest:sha256:9f86...     the artifacts of this content; the first digits do
  ./model.pkl               the artifact of the content of a file or directory
"""


def nodes_of(store: LineageStore, address: str) -> list[str]:
    """Return the keys of the nodes that an address names, such as "artifact:12".

    Raises:
        NotFound: There is none.
        InvalidArgument: It is no address.
    """
    return _named(store, address).keys


def node_of(store: LineageStore, address: str) -> str:
    """Return the key of the one node that an address names.

    Raises:
        NotFound: There is none.
        InvalidArgument: There are several, or it is no address.
    """
    return _named(store, address).only(address)


def artifact_ids(store: LineageStore, addresses: Iterable[str]) -> list[int]:
    """Return the ids of the artifacts that addresses name.

    Raises:
        NotFound: One names none.
        InvalidArgument: One is no address, or names an execution.
    """
    keys = [(address, key) for address in addresses for key in nodes_of(store, address)]
    for address, key in keys:
        if parse_key(key)[0] != "artifact":
            raise errors.InvalidArgument(f"{address} is no artifact")
    return [parse_key(key)[1] for _, key in keys]


def _named(store: LineageStore, address: str) -> NamedNodes:
    """Return the nodes that an address names; print a remark on them to standard error."""
    named_nodes = store.find_nodes(address)
    if named_nodes.remark is not None:
        click.echo(printable(named_nodes.remark), err=True)
    return named_nodes


class Moment(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic from 8.4 on
    """A date, which stands for its end, or a date and a time; UTC unless it says otherwise."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not of the form 2026-11-23 or 2026-11-23T17:30:00", param, ctx)
        if len(str(value)) <= len("2026-11-23"):
            moment += timedelta(days=1, microseconds=-1)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
