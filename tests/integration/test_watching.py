"""Several servers write while readers follow: no commit is missed, and all see one order."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice

import pytest

from lineage_store import Artifact, ArtifactType, connect
from lineage_store.database.checks.checking import check
from lineage_store.entities.versions import Commit
from tests.backends import galera, mariadb, postgresql
from tests.integration.serving import serving

SERVERS, WRITES = 3, 60

SET_BACK = """
import time
_now = time.time_ns
time.time_ns = lambda: _now() - 3_600 * 10**9
"""
"""Sets the clock of a process back by an hour."""


@pytest.fixture(params=[postgresql, mariadb, galera], ids=["postgresql", "mariadb", "galera"])
def urls(request) -> Iterator[list[str]]:
    """The URLs of one store for three servers, on two nodes where there are two."""
    with request.param.new_store() as url:
        if request.param is galera:
            database = url.rpartition("/")[2]
            yield [galera.shared().url(database, first) for first in range(SERVERS)]
        else:
            yield [url] * SERVERS


@pytest.fixture(params=[False, True], ids=["clocks agree", "a clock is an hour behind"])
def addresses(request, urls, tmp_path) -> Iterator[list[str]]:
    (tmp_path / "behind").mkdir()
    (tmp_path / "behind" / "sitecustomize.py").write_text(SET_BACK)
    with ExitStack() as stack:
        servers = []
        for number, url in enumerate(urls):
            directory = tmp_path / str(number)
            directory.mkdir()
            is_behind = request.param and number == 1
            path = {"PYTHONPATH": str(tmp_path / "behind")} if is_behind else {}
            servers.append(
                stack.enter_context(serving(directory, "--database", url, **path)).address
            )
        yield servers


def write(address: str, number: int) -> list[int]:
    """Put artifacts one by one; return their ids."""
    with connect(f"grpc://{address}") as store:
        ids = []
        for at in range(WRITES):
            ids += store.artifacts.put(Artifact(type="T", name=f"{number}-{at}"))
        return ids


def follow(address: str, until: threading.Event, last: list[str]) -> list[Commit]:
    """Watch until the last commit of all was seen."""
    commits: list[Commit] = []
    with closing(connect(f"grpc://{address}")) as store:
        for commit in store.history.watch():
            commits.append(commit)
            if until.is_set() and commit.revision.token == last[0]:
                return commits
    raise AssertionError("the watch has ended")


@pytest.mark.long
def test_all_who_watch_see_all_commits_in_one_order(addresses, urls):
    with connect(f"grpc://{addresses[0]}") as store:
        store.put_artifact_type(ArtifactType(name="T"))
    is_over, last = threading.Event(), [""]
    with ThreadPoolExecutor(4 * SERVERS) as pool:
        watched = [pool.submit(follow, address, is_over, last) for address in addresses]
        writers = [pool.submit(write, address, at) for at, address in enumerate(addresses)]
        ids = [artifact_id for writer in writers for artifact_id in writer.result(120)]
        with connect(f"grpc://{addresses[0]}") as store:
            store.at_least(store.history.revision().token).artifacts.put(
                Artifact(type="T", name="last")
            )
            last[0] = store.last_revision
            is_over.set()
        sequences = [one.result(60) for one in watched]
    first = sequences[0]
    assert [one.revision.number for one in first] == list(range(1, len(first) + 1))
    stamps = [one.revision.recorded_at for one in first]
    assert stamps == sorted(set(stamps))
    assert all(sequence == first for sequence in sequences)
    seen = {key[0] for one in first for kind, key in one.facts if kind == "artifact"}
    assert set(ids) <= seen
    assert check(urls[0]).findings.kept_findings == []


def test_a_watch_lasts_longer_than_a_call_may(tmp_path):
    with serving(tmp_path) as server, closing(connect(f"grpc://{server.address}")) as writer:
        writer.put_artifact_type(ArtifactType(name="T"))
        begin = writer.history.revision().token

        def write_late() -> None:
            time.sleep(1.5)
            writer.artifacts.put(Artifact(type="T", name="late"))

        with (
            connect(f"grpc://{server.address}", timeout=0.5) as reader,
            ThreadPoolExecutor() as pool,
        ):
            writing = pool.submit(write_late)
            [commit] = islice(reader.history.watch(begin), 1)
            writing.result()
    assert [kind for kind, _ in commit.facts] == ["artifact"]
