"""Every public name, command, server setting and environment variable is documented."""

import ast
import importlib
import re
from pathlib import Path

import click
import pytest
from lineage_server.command import serve

import lineage_store
from lineage_store import fingerprints, recording
from scripts import command_page, settings_page

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
DOCS = "\n".join(page.read_text() for page in PAGES if page.parent.name != "adr")
SETTINGS = (ROOT / "docs/settings.md").read_text()

NAMES = [
    f"{module.__name__}.{name}"
    for module in (lineage_store, recording, fingerprints)
    for name in module.__all__
]
COMMANDS = [context.command_path for context in command_page.all_commands()]
OPTIONS = [option for option in serve.params if isinstance(option, click.Option)]


def variables() -> list[str]:
    """Return the environment variables that options or texts of the code name."""
    contexts = command_page.all_commands()
    options = [option for context in contexts for option in context.command.params]
    names = {option.envvar for option in options if isinstance(option.envvar, str)}
    for folder in ("lineage_store", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    names |= set(re.findall(r"^LINEAGE_STORE_[A-Z_]+$", node.value))
    return sorted(names)


def resolved(path: str) -> object:
    """Return the object of a dotted path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


REFERENCE = [resolved(path) for path in re.findall(r"^::: ([\w.]+)$", DOCS, re.MULTILINE)]


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_in_the_reference(name: str) -> None:
    """A name that several modules have is documented once."""
    assert any(resolved(name) is documented for documented in REFERENCE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_documented(command: str) -> None:
    assert re.search(rf"{command}\b", DOCS)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_setting_of_the_server_is_documented(option: click.Option) -> None:
    key = "—" if option.name == "config" else f"`{option.name}`"
    assert f"| `{option.opts[0]}` | `{option.envvar}` | {key} |" in SETTINGS


@pytest.mark.parametrize("variable", variables())
def test_an_environment_variable_is_documented(variable: str) -> None:
    assert f"`{variable}" in DOCS


def test_the_lists_of_this_test_are_not_empty() -> None:
    assert "lineage_store.connect" in NAMES
    assert {"lineage-store runs show", "lineage-store serve"} <= set(COMMANDS)
    assert {"LINEAGE_STORE_URL", "LINEAGE_STORE_THREADS", "LINEAGE_STORE_SPOOL"} <= set(variables())


def test_the_reference_of_the_commands_is_current() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text()
    assert page == command_page.page(), "run `make commands`"


def test_the_table_of_settings_is_current() -> None:
    assert settings_page.page() == SETTINGS, "run `make commands`"
    assert settings_page.table() in SETTINGS
