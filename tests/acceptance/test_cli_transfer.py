"""The commands that move, check and back up stores, as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.command_lines import run_command
from tests.transfer.stores import execute, fill, rows_of


@pytest.fixture
def url(tmp_path: Path) -> str:
    store_url = f"sqlite:///{tmp_path}/store.db"
    fill(store_url, rows=2)
    return store_url


def run(*args: str, cwd: Path | None = None) -> tuple[int, str, str]:
    process = run_command(*args, cwd=cwd)
    return process.returncode, process.stdout.strip(), process.stderr.strip()


def test_copy(url: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/target.db"
    code, out, error = run("copy", url, target, "--verify", "--json")
    assert (code, error) == (0, "")
    answer = json.loads(out)
    assert answer["verified"]
    assert not answer["resumed"]
    assert answer["rows"] == {k: len(v) for k, v in rows_of(url).items() if k != "counters"}
    assert rows_of(target) == rows_of(url)
    code, out, error = run("copy", url, target)
    assert (code, out) == (1, "")
    assert error.startswith("error: the target: ")
    assert "must be empty" in error
    rows = sum(answer["rows"].values())
    again = run("copy", "sqlite:///store.db", "sqlite:///third.db", "--verify", cwd=tmp_path)
    assert again == (0, f"copied {rows} rows, all compared", "")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a"])
def test_dump_and_load(url: str, tmp_path: Path, name: str) -> None:
    path, target = tmp_path / name, f"sqlite:///{tmp_path}/target.db"
    code, out, error = run("dump", url, str(path))
    assert (code, error) == (0, "")
    rows = sum(len(rows) for table, rows in rows_of(url).items() if table != "counters")
    assert out.startswith(f"{path}: {rows} rows, ")
    code, _, error = run("dump", url, str(path))
    assert code == 1
    assert "--force" in error
    code, out, _ = run("dump", url, str(path), "--force", "--json")
    assert code == 0
    assert sum(json.loads(out)["rows"].values()) == rows
    assert run("load", str(path), "--into", target) == (0, f"loaded {rows} rows", "")
    assert rows_of(target) == rows_of(url)
    code, _, error = run("load", str(path), "--into", target)
    assert code == 1
    assert "must be empty" in error
    assert "Traceback" not in error


def test_check_says_what_is_wrong_and_repairs_it(url: str) -> None:
    assert run("db", "check", "--database", url)[::2] == (0, "")
    execute(url, "UPDATE artifacts SET uri = ? WHERE id = 2", "else\nwhere")
    execute(url, "UPDATE events SET artifact_id = 999 WHERE id = 1")
    code, out, error = run("db", "check", "--database", url)
    assert code == 1
    lines = out.splitlines()
    assert r"column: artifacts id=2: uri is 'else\nwhere', the body says ''" in lines
    assert "reference: events id=1: artifact_id 999 is not in artifacts" in lines
    assert any(line.startswith("1 column of artifacts: ") for line in lines)
    assert any("--repair-index" in line for line in lines)
    assert error.startswith("error: 5 findings in this store")
    code, out, error = run("db", "check", "--database", url, "--json")
    assert code == 1
    report = json.loads(out)
    assert report["total"] == 5
    assert {one["kind"] for one in report["findings"]} == {"column", "reference", "commit"}
    code, out, error = run("db", "check", "--database", url, "--repair-index")
    assert (code, error) == (0, "")
    assert "rebuilt 2 rows" in out
    assert run("db", "check", "--database", url)[0] == 0


def test_backup(url: str, tmp_path: Path) -> None:
    path = tmp_path / "backup.db"
    code, out, error = run("db", "backup", str(path), "--database", url, "--json")
    assert (code, error) == (0, "")
    assert json.loads(out) == {"file": str(path), "bytes": path.stat().st_size}
    assert rows_of(f"sqlite:///{path}") == rows_of(url)
    code, _, error = run("db", "backup", str(path), "--database", url)
    assert code == 1
    assert "--force" in error
    code, _, error = run("db", "backup", str(path), "--database", "postgresql://nobody@nowhere/x")
    assert code == 1
    assert "pg_dump" in error
    assert "lineage-store dump" in error


def test_every_command_takes_the_path_of_a_file(url: str, tmp_path: Path) -> None:
    commands = [
        ("copy", "store.db", "copied.db", "--verify"),
        ("dump", "store.db", "archive.jsonl"),
        ("load", "archive.jsonl", "--into", "loaded.db"),
        ("export", "mlmd", "--from", "store.db", "--to", "mlmd.db"),
        ("import", "mlmd", "mlmd.db", "--into", "imported.db"),
        ("db", "check", "--database", "imported.db"),
    ]
    for command in commands:
        code, _, error = run(*command, cwd=tmp_path)
        assert code == 0, (command, error)
    assert rows_of(f"sqlite:///{tmp_path}/copied.db") == rows_of(url)
    code, _, error = run("copy", "localhost:80", "other.db", cwd=tmp_path)
    assert code == 1
    assert "grpc://localhost:80" in error
