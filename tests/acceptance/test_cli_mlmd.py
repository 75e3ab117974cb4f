"""The commands that move databases of ML Metadata, as a user sees them."""

import json
import re
import subprocess
import sys

import pytest

from lineage_store import connect
from tests import real_mlmd
from tests.command_lines import run_command
from tests.transfer.mlmd_databases import on_sqlite


@pytest.fixture
def database(tmp_path):
    """A database that the real ML Metadata filled."""
    real_mlmd.python()
    with on_sqlite(tmp_path) as mlmd_database:
        mlmd_database.populate(60)
        yield mlmd_database


def run(*args):
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "lineage_store.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_import_export_and_back(database, tmp_path):
    store, back = f"sqlite:///{tmp_path}/s.db", f"sqlite:///{tmp_path}/back.db"
    result = run("import", "mlmd", database.url, "--into", store, "--verify")
    assert (result.returncode, result.stderr) == (0, "")
    stored, equal = result.stdout.splitlines()
    counts = "17 types, 30 artifacts, 26 executions, 4 contexts, 60 events"
    assert stored.startswith(f"stored: {counts}")
    assert equal.startswith(f"equal on both sides: {counts}")
    result = run("export", "mlmd", "--from", store, "--to", back)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"stored: {counts}")
    again = f"sqlite:///{tmp_path}/again.db"
    result = run("import", "mlmd", back, "--into", again, "--verify", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert report["schema_version"] == 10
    assert report["is_resumed"] is False
    assert report["problems"] == {"count": 0, "shown": []}
    assert report["stored"]["artifacts"] == report["verified"]["compared"]["artifacts"] == 30


def test_what_does_not_fit_is_told_on_standard_error_and_in_the_json(database, tmp_path):
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) "
            "VALUES (1, 'esc' || char(27) || '[31m', 1, '__MLMD_NULL__')"
        )
        connection.execute("INSERT INTO Attribution (context_id, artifact_id) VALUES (1, -1)")
    connection.close()
    store = f"sqlite:///{tmp_path}/s.db"
    result = run("import", "mlmd", database.url, "--into", store, "--json")
    assert result.returncode == 0
    first, second = result.stderr.splitlines()
    assert first.startswith(r"artifact 1, custom property 'esc\x1b[31m': is '__MLMD_NULL__'")
    assert second == "attribution (1, -1): points at no artifact: -1; it is left out"
    problems = json.loads(result.stdout)["problems"]
    assert problems["count"] == 2
    assert problems["shown"][1] == {
        "where": "attribution (1, -1)",
        "what": "points at no artifact: -1",
        "done": "it is left out",
    }


def test_what_ml_metadata_has_no_place_for_is_counted(tmp_path, database):
    store = f"sqlite:///{tmp_path}/s.db"
    run("import", "mlmd", database.url, "--into", store)
    with connect(store) as opened:
        artifact = opened.get_artifact(1)
        artifact.custom_properties["new"] = 1
        opened.put_artifact(artifact)
    result = run("export", "mlmd", "--from", store, "--to", f"sqlite:///{tmp_path}/out.db")
    assert result.returncode == 0
    assert result.stdout.splitlines()[1] == "ML Metadata has no place for: 1 node versions"


def test_mistakes_are_one_line_without_a_password(tmp_path, database):
    store = f"sqlite:///{tmp_path}/s.db"
    for arguments, code, text in (
        (("import", "mlmd", store, "--into", f"{store}2"), 3, "can't be opened"),
        (("import", "mlmd", "mysql://u:secret@127.0.0.1:1/x", "--into", store), 3, "reached"),
        (("import", "mlmd", "nosql://u:secret@h/x", "--into", store), 1, "not a database URL"),
        (("export", "mlmd", "--from", store, "--to", f"{store}2"), 3, "can't be opened"),
    ):
        result = run_command(*arguments)
        assert result.returncode == code, result.stderr
        assert re.fullmatch(r"error: .*\n", result.stderr)
        assert text in result.stderr
        assert "secret" not in result.stderr
    assert run_command("import", "mlmd", database.url, "--into", store).returncode == 0
    result = run_command("import", "mlmd", database.url, "--into", store)
    assert result.returncode == 1
    assert "must be empty" in result.stderr
    result = run_command("export", "mlmd", "--from", store, "--to", database.url)
    assert result.returncode == 1
    assert "must be empty" in result.stderr
