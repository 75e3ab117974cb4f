"""Options that many commands have, and the store that they name."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from lineage_store.store import LineageStore, connect

F = TypeVar("F", bound=Callable[..., Any])

URL_VARIABLE = "LINEAGE_STORE_URL"

store_option = click.option(
    "--store",
    "url",
    default="sqlite:///lineage.db",
    show_default=True,
    envvar=URL_VARIABLE,
    show_envvar=True,
    help="Database URL, or grpc://HOST:PORT of a server.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return a decorator that adds several options, in the order in which --help shows them."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def open_store(url: str) -> LineageStore:
    """Return a store that exists: to look into a file must not create it."""
    if url.startswith("sqlite:///") and "?" not in url:
        url += "?mode=rw"
    return connect(url)
