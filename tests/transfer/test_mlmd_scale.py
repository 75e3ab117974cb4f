"""An import that is killed goes on, and a large one takes no more memory than a small one.

LINEAGE_TRANSFER_NODES says how many nodes; 100000 is a thorough local run.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.engine import Engine
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests.integration.serving import serving
from tests.real_mlmd import python
from tests.transfer.answers import ImportedStore, assert_same, real_on

pytestmark = pytest.mark.long

NODES = int(os.environ.get("LINEAGE_TRANSFER_NODES", "2000"))
KILLED = Path(__file__).with_name("killed_import.py")
MEASURED = Path(__file__).with_name("measured.py")
READS = Path(__file__).with_name("mlmd_client_reads.py")


@pytest.mark.timeout(300 + NODES // 50)
def test_an_import_goes_on_after_each_kill(sqlite_mlmd, any_store):
    sqlite_mlmd.populate(min(NODES, 10_000))
    kills = 0
    while killed(sqlite_mlmd.url, any_store, 3):
        kills += 1
        assert kills < NODES, "it begins anew each time"
        with pytest.raises(errors.SchemaMismatch, match="same command again"):
            Engine(any_store)
    assert kills > 3
    verify_mlmd(sqlite_mlmd.url, any_store).demand_equal()
    with real_on(sqlite_mlmd) as real, closing(ImportedStore(any_store)) as ours:
        assert_same(real, ours)


def killed(source, target, last):
    """Run an import that dies before its `last` commit; return whether it did."""
    command = [sys.executable, str(KILLED), source, target, str(last)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode in {0, -signal.SIGKILL}, process.stderr
    return process.returncode != 0


@pytest.mark.timeout(300 + NODES // 20)
def test_a_large_database_goes_in_and_out(sqlite_mlmd, store_url, tmp_path):
    begin = time.monotonic()
    sqlite_mlmd.populate(NODES)
    print(f"\n{NODES} nodes written by ML Metadata in {time.monotonic() - begin:.1f} s")
    stored = measured("import", "mlmd", sqlite_mlmd.url, "--into", store_url, "--json")["stored"]
    assert stored["artifacts"] + stored["executions"] + stored["contexts"] == NODES
    assert stored["events"] == NODES
    back = f"sqlite:///{tmp_path}/back.db"
    again = measured("export", "mlmd", "--from", store_url, "--to", back, "--json")["stored"]
    assert again == stored
    assert verify_mlmd(back, store_url).compared == stored
    ours = answers_of_a_server(store_url, tmp_path)
    assert ours == answers("--sqlite", sqlite_mlmd.url.removeprefix("sqlite:///"))
    assert ours == answers("--sqlite", back.removeprefix("sqlite:///"))
    print(f"equal through the client: {sum(count for count, _ in ours.values())} calls")


def answers_of_a_server(url, directory):
    """Return the answers of a server of ours to the client of ML Metadata."""
    with serving(directory, "--database", url) as served:
        return answers("--grpc", served.address)


def answers(*store):
    """Return count and digest of the answers to each method of the client of ML Metadata."""
    command = [str(python()), str(READS), *store]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def measured(*arguments):
    """Run a command of ours, print its time and its memory, and return its JSON."""
    begin = time.monotonic()
    command = [sys.executable, str(MEASURED), *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - begin
    peak = int(process.stderr.splitlines()[-1])
    rate = f"{NODES / seconds:.0f} nodes/s"
    print(f"{arguments[0]}: {seconds:.1f} s, {rate}, at most {peak / 1024:.0f} MiB")
    # The program, the page cache of SQLite, and a page of rows: the same for any number of nodes.
    assert peak < 200 * 1024
    return json.loads(process.stdout)
