"""The commands that move databases of ML Metadata, as a user sees them."""

import json
import re
import subprocess
import sys

import pytest

from lineage_store import connect
from tests import real_mlmd
from tests.transfer.mlmd_databases import on_sqlite


@pytest.fixture
def database(tmp_path):
    """A database that the real ML Metadata filled."""
    real_mlmd.python()
    with on_sqlite(tmp_path) as found:
        found.populate(60)
        yield found


def run(*args):
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "lineage_store.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_import_export_and_back(database, tmp_path):
    store, back = f"sqlite:///{tmp_path}/s.db", f"sqlite:///{tmp_path}/back.db"
    done = run("import", "mlmd", database.url, "--into", store, "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    stored, equal = done.stdout.splitlines()
    counts = "17 types, 30 artifacts, 26 executions, 4 contexts, 60 events"
    assert stored.startswith(f"stored: {counts}")
    assert equal.startswith(f"equal on both sides: {counts}")
    done = run("export", "mlmd", "--from", store, "--to", back)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"stored: {counts}")
    again = f"sqlite:///{tmp_path}/again.db"
    done = run("import", "mlmd", back, "--into", again, "--verify", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["schema_version"] == 10
    assert found["is_resumed"] is False
    assert found["problems"] == {"count": 0, "shown": []}
    assert found["stored"]["artifacts"] == found["verified"]["compared"]["artifacts"] == 30


def test_what_does_not_fit_is_told_on_standard_error_and_in_the_json(database, tmp_path):
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) "
            "VALUES (1, 'esc' || char(27) || '[31m', 1, '__MLMD_NULL__')"
        )
        connection.execute("INSERT INTO Attribution (context_id, artifact_id) VALUES (1, -1)")
    connection.close()
    store = f"sqlite:///{tmp_path}/s.db"
    done = run("import", "mlmd", database.url, "--into", store, "--json")
    assert done.returncode == 0
    first, second = done.stderr.splitlines()
    assert first.startswith(r"artifact 1, custom property 'esc\x1b[31m': is '__MLMD_NULL__'")
    assert second == "attribution (1, -1): points at no artifact: -1; it is left out"
    problems = json.loads(done.stdout)["problems"]
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
    done = run("export", "mlmd", "--from", store, "--to", f"sqlite:///{tmp_path}/out.db")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1] == "ML Metadata has no place for: 1 node versions"


def test_mistakes_are_one_line_without_a_password(tmp_path, database):
    store = f"sqlite:///{tmp_path}/s.db"
    for arguments, code, text in (
        (("import", "mlmd", store, "--into", f"{store}2"), 3, "can't be opened"),
        (("import", "mlmd", "mysql://u:secret@127.0.0.1:1/x", "--into", store), 3, "reached"),
        (("import", "mlmd", "nosql://u:secret@h/x", "--into", store), 1, "not a database URL"),
        (("export", "mlmd", "--from", store, "--to", f"{store}2"), 3, "can't be opened"),
    ):
        done = run(*arguments)
        assert done.returncode == code, done.stderr
        assert re.fullmatch(r"error: .*\n", done.stderr)
        assert text in done.stderr
        assert "secret" not in done.stderr
    assert run("import", "mlmd", database.url, "--into", store).returncode == 0
    done = run("import", "mlmd", database.url, "--into", store)
    assert done.returncode == 1
    assert "must be empty" in done.stderr
    done = run("export", "mlmd", "--from", store, "--to", database.url)
    assert done.returncode == 1
    assert "must be empty" in done.stderr
