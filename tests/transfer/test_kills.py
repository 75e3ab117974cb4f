"""`kill -9` in the middle of a copy and of a load: the same command goes on and ends right."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.database.bulk.store_contents import Contents
from lineage_store.database.checks.checking import check
from lineage_store.transfer.dumping import dump
from tests.transfer.stores import BACKENDS, fill, new_store, rows_of

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("LINEAGE_KILLS", "2"))
ROWS = 2_000
"""Artifacts, each a few times."""

# A kill comes late on a busy machine, and meets a command that pauses after each small page.
SLOWLY = """
import sys, time
from lineage_store.database.bulk import store_contents as contents
from lineage_store.transfer import loading

def slowed(parts):
    def yield_slowly(*arguments):
        for part in parts(*arguments):
            yield part
            time.sleep(0.02)
    return yield_slowly

contents.FIRST_ROWS = contents.MAX_ROWS = loading.BATCH_ROWS = 50
contents.pages, loading._batches = slowed(contents.pages), slowed(loading._batches)
from lineage_store.cli import main
main()
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    store_url = f"sqlite:///{tmp_path_factory.mktemp('kills')}/store.db"
    fill(store_url, rows=ROWS)
    return store_url


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", SLOWLY, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def is_begun(target: str) -> bool:
    """Return True if the target is being filled."""
    try:
        Contents(target).close()
    except errors.SchemaMismatch:
        return True
    except errors.LineageError:
        return False
    return False


def killed(target: str, command: list[str], seconds: float) -> bool:
    """Kill a command some time after it has begun to fill; return False if it was faster."""
    process = start(*command)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and not is_begun(target):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(seconds)
        return process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def finish(*arguments: str) -> None:
    command = [sys.executable, "-m", "lineage_store.cli", *arguments]
    process = subprocess.run(command, capture_output=True, timeout=250, check=False)
    assert (process.returncode, process.stderr) == (0, b"")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("transfer", ["copy", "load"])
def test_what_was_killed_goes_on(url, backend, transfer, tmp_path: Path):
    with new_store(backend, tmp_path) as target:
        command = ["copy", url, target, "--verify"]
        if transfer == "load":
            dump(url, tmp_path / "store.jsonl.gz")
            command = ["load", str(tmp_path / "store.jsonl.gz"), "--into", target]
        assert killed(target, command, random.uniform(0, 0.3))
        for _ in range(KILLS - 1):
            assert is_begun(target)
            if not killed(target, command, random.uniform(0.4, 1.5)):
                break
        if is_begun(target):
            finish(*command)
        assert rows_of(target) == rows_of(url)
        assert check(target).findings.kept_findings == []


def test_a_dump_and_a_backup_that_were_killed_leave_no_half_of_a_file(url, tmp_path):
    for command in (
        ["dump", url, str(tmp_path / "store.jsonl")],
        ["dump", url, str(tmp_path / "store")],
        ["db", "backup", str(tmp_path / "backup.db"), "--database", url],
    ):
        process = start(*command)
        path = tmp_path / Path(command[2]).name
        aside = path.with_name(f"{path.name}.partial")
        while process.poll() is None and not aside.exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if not path.exists():  # it was not faster than the kill
            finish(*command)
        assert path.exists()
        assert not aside.exists()
