"""How a command line names nodes and moments."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from lineage_store import errors
from lineage_store.lineage.identity import key, key_of
from lineage_store.store import LineageStore

NODE_HELP = """\b
A NODE is one of
  12                        the artifact with id 12
  artifact:12, execution:7  a node by kind and id
  TYPE/NAME                 an artifact by type and name
  execution:TYPE/NAME       an execution by type and name
  uri:URI                   the artifacts at a URI
"""


def nodes_of(store: LineageStore, address: str) -> list[str]:
    """Return the keys of the nodes that an address names, such as "artifact:12".

    Raises:
        NotFound: There is none.
        InvalidArgument: It is no address.
    """
    scheme, colon, rest = address.partition(":")
    if address.isdecimal():
        return [key("artifact", int(address))]
    if colon and scheme == "uri":
        return _at_uri(store, rest)
    if colon and scheme in {"artifact", "execution"}:
        return [key(scheme, int(rest)) if rest.isdecimal() else _by_name(store, scheme, rest)]
    return [_by_name(store, "artifact", address)]


def node_of(store: LineageStore, address: str) -> str:
    """Return the key of the one node that an address names.

    Raises:
        NotFound: There is none.
        InvalidArgument: There are several, or it is no address.
    """
    found = nodes_of(store, address)
    if len(found) > 1:
        raise errors.InvalidArgument(
            f"{address} is the uri of {len(found)} artifacts: {', '.join(found)}; name one of them"
        )
    return found[0]


def _at_uri(store: LineageStore, uri: str) -> list[str]:
    found = [key_of(artifact) for artifact in store.find_artifacts_by_uri(uri)]
    if not found:
        raise errors.NotFound(f"no artifact has the uri {uri!r}")
    return found


def _by_name(store: LineageStore, kind: str, text: str) -> str:
    type_name, slash, name = text.partition("/")
    if not (type_name and slash and name):
        raise errors.InvalidArgument(
            f"{text!r} names no node: give 12, artifact:12, execution:7, TYPE/NAME, "
            "execution:TYPE/NAME or uri:URI"
        )
    get = store.get_artifact if kind == "artifact" else store.get_execution
    return key_of(get(type=type_name, name=name))


class Moment(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic from 8.4 on
    """A date, which stands for its end, or a date and a time; UTC unless it says otherwise."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not of the form 2026-11-23 or 2026-11-23T17:30:00", param, ctx)
        if len(str(value)) <= len("2026-11-23"):
            found += timedelta(days=1, microseconds=-1)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
