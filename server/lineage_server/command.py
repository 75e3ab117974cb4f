"""`lineage-store serve`."""

import logging
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lineage_server import app, logs, processes
from lineage_server.settings import MIB, Settings
from lineage_store.cli.options import as_url
from lineage_store.limits import MAX_NODE_BYTES, RETRY_FOR_SECONDS
from lineage_store.masking import masked_url

logger = logging.getLogger("lineage_server")

ENVIRONMENT = "LINEAGE_STORE"

Command = Callable[..., Any]


def _read_file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Take defaults from a TOML file; options and environment variables win over it."""
    if path is None:
        return
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}") from None
    setting_names = {parameter.name for parameter in context.command.params} - {"config"}
    for name in values:
        if name not in setting_names:
            choices = ", ".join(sorted(filter(None, setting_names)))
            raise click.BadParameter(f"{path}: unknown setting {name!r}; known: {choices}")
    context.default_map = values


def _option(name: str, **attributes: Any) -> Callable[[Command], Command]:
    variable = f"{ENVIRONMENT}_{name.strip('-').upper().replace('-', '_')}"
    return click.option(
        name,
        envvar=variable,
        show_envvar=True,
        show_default=attributes.get("default"),
        **attributes,
    )


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--config",
    type=_FILE,
    is_eager=True,
    expose_value=False,
    callback=_read_file,
    envvar=f"{ENVIRONMENT}_CONFIG",
    show_envvar=True,
    help="TOML file with the settings below, named with underscores.",
)
@_option(
    "--database",
    default="sqlite:///lineage.db",
    callback=as_url,
    help="Database URL, or the path of an SQLite file.",
)
@_option("--grpc", default="127.0.0.1:8080", help="HOST:PORT to listen on; port 0 picks one.")
@_option(
    "--processes",
    default=1,
    type=click.IntRange(1, 64),
    help="Processes that serve, on PostgreSQL and MySQL; the settings below are of each.",
)
@_option(
    "--threads",
    default=16,
    type=click.IntRange(1, 1024),
    help="Reads worked on at once, and as many writes.",
)
@_option(
    "--max-queue",
    default=512,
    type=click.IntRange(1, 4096),
    help="Reads that wait for their turn, and as many writes.",
)
@_option(
    "--max-waits",
    default=256,
    type=click.IntRange(1, 4096),
    help="Calls that wait for a cache key at once.",
)
@_option(
    "--max-message-bytes",
    default=100 * MIB,
    type=click.IntRange(1024, 2**31 - 1),
    help="Largest request and response.",
)
@_option(
    "--max-node-bytes",
    default=MAX_NODE_BYTES,
    type=click.IntRange(1024, 400_000_000),
    help="Most bytes of one node, type, event or cache entry.",
)
@_option(
    "--max-metadata-bytes",
    default=16 * 1024,
    type=click.IntRange(1024, MIB),
    help="Largest metadata of a call.",
)
@_option(
    "--max-lineage-nodes",
    default=1_000_000,
    type=click.IntRange(1, 100_000_000),
    help="Most nodes that a lineage query answers.",
)
@_option(
    "--max-lineage-bytes",
    default=1024 * MIB,
    type=click.IntRange(1024, 2**40),
    help="Most bytes that a lineage query answers.",
)
@_option(
    "--max-lineage-seconds",
    default=30.0,
    type=click.FloatRange(0.001, 3600),
    help="Longest that a lineage query takes.",
)
@_option(
    "--max-graph-bytes",
    default=1024 * MIB,
    type=click.IntRange(0, 2**40),
    help="Memory that the graph may take; 0 keeps none.",
)
@_option(
    "--max-filter-characters",
    default=500_000,
    type=click.IntRange(100, 100_000_000),
    help="Longest filter.",
)
@_option(
    "--max-filter-tokens",
    default=50_000,
    type=click.IntRange(100, 10_000_000),
    help="Most names, values, signs and parentheses in a filter.",
)
@_option(
    "--max-filter-depth",
    default=100,
    type=click.IntRange(10, 200),
    help="Most expressions within each other in a filter.",
)
@_option(
    "--max-filter-values",
    default=5_000,
    type=click.IntRange(10, 30_000),
    help="Most values in a filter, those in lists aside.",
)
@_option(
    "--max-filter-list-items",
    default=100_000,
    type=click.IntRange(10, 10_000_000),
    help="Most values in one list of a filter.",
)
@_option(
    "--max-filter-tables",
    default=61,
    type=click.IntRange(4, 61),
    help="Most tables that a filter joins.",
)
@_option(
    "--max-filter-seconds",
    default=30.0,
    type=click.FloatRange(0.001, 3600),
    help="Longest that the database works on a filter.",
)
@_option(
    "--database-patience-seconds",
    default=RETRY_FOR_SECONDS,
    type=click.FloatRange(0, 3600),
    help="How long a call tries again while the database is away.",
)
@_option(
    "--drain-seconds",
    default=10.0,
    type=click.FloatRange(0, 3600),
    help="Time that running calls have after SIGTERM.",
)
@_option(
    "--idle-stream-seconds",
    default=60.0,
    type=click.FloatRange(0.1, 3600),
    help="How long a reader may take nothing of its answer.",
)
@_option(
    "--keepalive-seconds",
    default=60.0,
    type=click.FloatRange(1, 86_400),
    help="Silence after which the server pings a client.",
)
@_option(
    "--keepalive-timeout-seconds",
    default=20.0,
    type=click.FloatRange(1, 3600),
    help="Time that a client has to answer a ping.",
)
@_option(
    "--keepalive-min-client-seconds",
    default=5.0,
    type=click.FloatRange(0, 3600),
    help="Least time between the pings of a client.",
)
@_option("--tls-key", type=_FILE, help="PEM file: private key of the server.")
@_option("--tls-certificate", type=_FILE, help="PEM file: certificate chain of the server.")
@_option("--tls-client-ca", type=_FILE, help="PEM file: demand client certificates of this CA.")
@_option(
    "--log-format",
    default="text",
    type=click.Choice(["text", "json"]),
    help="How lines are logged to standard error.",
)
@_option(
    "--log-level",
    default="info",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="The least level that is logged.",
)
@_option("--access-log", is_flag=True, default=False, help="Log each call that is answered, too.")
def serve(**values: Any) -> None:
    """Serve a database over gRPC until SIGTERM or SIGINT.

    Prints one line when it answers: lineage-store ready grpc=HOST:PORT database=URL
    """
    logs.configure(values["log_format"], values["log_level"])
    settings = Settings(**values)
    if settings.exposure is not None:
        logger.warning(
            "anybody who reaches %s may %s; see docs/settings.md", settings.grpc, settings.exposure
        )
    run = app.run if settings.processes == 1 else processes.run
    run(settings, _announce(settings.database))


def _announce(database: str) -> Callable[[str], None]:
    def ready(address: str) -> None:
        shown = masked_url(database)
        click.echo(f"lineage-store ready grpc={address} database={shown}")

    return ready
