"""The command line loads the modules of a command when the command is called, and no earlier."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lineage_store.cli import overview
from lineage_store.cli.commands import COMMANDS
from lineage_store.cli.group import cli

HEAVY = ("click", "grpc", "sqlalchemy", "numpy", "pyarrow", "google.protobuf", "networkx", "lark")


def python(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_import_no_library(option: str) -> None:
    program = (
        "import sys\n"
        "from lineage_store.cli import main\n"
        f"sys.argv = ['lineage-store', {option!r}]\n"
        "main()\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    result = python("-c", program)
    assert (result.returncode, result.stderr.strip()) == (0, "[]")
    assert result.stdout.startswith(("Usage: lineage-store", "lineage-store, version "))


def test_a_listing_without_a_filter_loads_no_parser(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lineage.db'}"
    program = (
        "import sys\n"
        "from lineage_store import connect\n"
        f"with connect({url!r}) as store: store.list_artifacts()\n"
        "print(sorted({'lark', 'networkx', 'pyarrow', 'click'} & set(sys.modules)))\n"
    )
    assert python("-c", program).stdout.strip() == "[]"


def test_click_prints_the_same_help() -> None:
    context = click.Context(cli, info_name="lineage-store")
    assert cli.get_help(context) == overview.help_text()
    usage = python("-m", "lineage_store", "--nope").stderr.splitlines()[0]
    assert usage == overview.help_text().splitlines()[0]


def test_every_command_of_the_table_loads_under_its_name() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert cli.get_command(context, "nope") is None


def test_short_helps_fit_a_line() -> None:
    assert {"serve", *COMMANDS} <= overview.short_helps().keys()
    assert max(map(len, overview.help_text().splitlines())) <= 80


def test_version_is_that_of_the_distribution() -> None:
    by_click = python("-m", "lineage_store", "--version", _LINEAGE_STORE_COMPLETE="")
    assert by_click.stdout == f"lineage-store, version {overview.version()}\n"


def test_short_help_option_works_for_each_command() -> None:
    for command in (["runs", "show"], ["completion"], ["artifacts", "list"]):
        result = python("-m", "lineage_store", *command, "-h")
        assert result.returncode == 0
        assert "-h, --help" in result.stdout


def test_completion_is_installed_once(tmp_path: Path) -> None:
    for _ in range(2):
        result = python(
            "-m", "lineage_store", "completion", "install", "bash",
            HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"),
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    script = tmp_path / "data/lineage-store/completion.bash"
    assert "_LINEAGE_STORE_COMPLETE=bash_complete" in script.read_text()
    assert (tmp_path / ".bashrc").read_text().count(str(script)) == 2  # one line, two mentions


def test_completion_reads_no_store() -> None:
    answer = python(
        "-m", "lineage_store",
        _LINEAGE_STORE_COMPLETE="fish_complete", COMP_WORDS="lineage-store", COMP_CWORD="co",
    )  # fmt: skip
    names = [line.partition(",")[2].partition("\t")[0] for line in answer.stdout.splitlines()]
    assert names == ["compare", "completion", "contexts", "copy"]


def test_output_replaces_a_file_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "hooks.json"
    target.write_text("old")
    result = python("-m", "lineage_store", "hooks", "list", "--json", "--output", str(target))
    assert (result.returncode, result.stdout) == (0, "")
    assert target.read_text().startswith("[\n")
    failed = python(
        "-m", "lineage_store", "runs", "list",
        "--store", f"sqlite:///{tmp_path / 'missing.db'}", "--output", str(target),
    )  # fmt: skip
    assert failed.returncode == 3
    assert target.read_text().startswith("[\n")
    assert [path.name for path in tmp_path.iterdir()] == ["hooks.json"]
