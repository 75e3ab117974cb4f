"""`lineage-store serve`."""

import logging
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lineage_server import app, logs, processes
from lineage_server.setting import Setting, settings_of
from lineage_server.settings import Settings
from lineage_store.client.addresses import store_url
from lineage_store.masking import masked_url

logger = logging.getLogger("lineage_server")

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


def _add_options(command: Command) -> Command:
    """Give a command an option for each of the settings."""
    for each in reversed(settings_of(Settings)):
        command = click.option(
            each.option,
            type=_type_of(each),
            is_flag=each.type is bool,
            default=each.default,
            show_default=each.type is not bool and each.default is not None,
            envvar=each.variable,
            show_envvar=True,
            help=each.help,
        )(command)
    return command


def _type_of(setting: Setting) -> "click.ParamType[Any]":
    if setting.choices:
        return click.Choice(setting.choices, case_sensitive=False)
    if setting.bounds is not None:
        least, greatest = setting.bounds
        is_whole = setting.type is int
        return (
            click.IntRange(int(least), int(greatest))
            if is_whole
            else click.FloatRange(least, greatest)
        )
    if setting.type is bool:
        return click.BOOL
    return click.STRING if setting.type is str else _FILE


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--config",
    type=_FILE,
    is_eager=True,
    expose_value=False,
    callback=_read_file,
    envvar="LINEAGE_STORE_CONFIG",
    show_envvar=True,
    help="TOML file with the settings below, named with underscores.",
)
@_add_options
def serve(**values: Any) -> None:
    """Serve a database over gRPC until SIGTERM or SIGINT.

    Prints one line when it answers: lineage-store ready grpc=HOST:PORT database=URL
    """
    logs.configure(values["log_format"], values["log_level"])
    settings = Settings(**{**values, "database": store_url(values["database"])})
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
