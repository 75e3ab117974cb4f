"""Options that many commands have, and the store that they name."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from lineage_store.cli.addresses import Moment
from lineage_store.cli.documents import output_option
from lineage_store.client.addresses import TLS_VARIABLES, store_url
from lineage_store.consistency import TOKEN_PREFIX

if TYPE_CHECKING:
    from lineage_store.store import LineageStore

F = TypeVar("F", bound=Callable[..., Any])

URL_VARIABLE = "LINEAGE_STORE_URL"

_TLS = "lineage_store.tls"
"""The key under which the context of a command keeps its TLS files."""


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return a decorator that adds several options, in the order in which --help shows them."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _tls_option(argument: str, text: str, *names: str) -> Callable[[F], F]:
    def keep(context: click.Context, _: click.Parameter, path: Path | None) -> None:
        if path is not None:
            context.meta.setdefault(_TLS, {})[argument] = path

    return click.option(
        *names,
        argument,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=keep,
        help=f"{text}, PEM; for grpcs://.  [env var: {TLS_VARIABLES[argument]}]",
    )


_certificates = together(
    _tls_option("ca", "Authority that signed the server's certificate", "--ca"),
    _tls_option("certificate", "Certificate chain of this client", "--cert"),
)
tls_options = together(
    _certificates, _tls_option("key", "Private key of this client", "--key", "--tls-key")
)


def as_url(_: click.Context, __: click.Parameter, location: str) -> str:
    """Return the URL of a store that a person named by it or by the path of an SQLite file."""
    return store_url(location)


_url = click.option(
    "--store",
    "url",
    default="sqlite:///lineage.db",
    show_default=True,
    envvar=URL_VARIABLE,
    show_envvar=True,
    callback=as_url,
    help="An SQLite file, a database URL, or grpc://HOST:PORT (with TLS grpcs://) of a server.",
)
store_option = together(_url, tls_options)
cache_store_option = together(
    _url, _certificates, _tls_option("key", "Private key of this client", "--tls-key")
)
"""The same for commands whose `--key` is a cache key."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

document_options = together(json_option, output_option)
"""The options of a command that prints a document: a list, a run, a lineage."""


_AT = "lineage_store.at"
"""The key under which the context of a command keeps the revision that it reads."""


def _keep_revision(context: click.Context, _: click.Parameter, revision: str | None) -> None:
    if revision is not None:
        is_token = revision.startswith(TOKEN_PREFIX)
        context.meta[_AT] = revision if is_token else Moment().convert(revision, None, context)


at_option = click.option(
    "--at",
    metavar="REVISION",
    expose_value=False,
    callback=_keep_revision,
    help="Read the store as it was: the token of a revision, 2026-11-23 (its end) or "
    "2026-11-23T17:30:00, UTC.",
)


class TlsFiles(TypedDict, total=False):
    """Arguments of `connect` that name TLS files."""

    ca: Path
    key: Path
    certificate: Path


def tls_files() -> TlsFiles:
    """Return the TLS files that the command line names, by argument of `connect`."""
    files: TlsFiles = click.get_current_context().meta.get(_TLS, {})
    return files


def open_store(url: str) -> "LineageStore":
    """Return a store that exists: to look into a file must not create it."""
    from lineage_store.store import connect  # noqa: PLC0415 - not for a --help

    if url.startswith("sqlite:///") and "?" not in url:
        url += "?mode=rw"
    store = connect(url, **tls_files())
    revision = click.get_current_context().meta.get(_AT)
    if revision is None:
        return store
    click.get_current_context().call_on_close(store.close)
    return store.at(revision)
