"""A backup is one state of a store in use, and appears as a whole or not at all."""

import threading
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.bulk import backup as module
from lineage_store.database.bulk.backup import backup
from lineage_store.database.checks.checking import check
from tests.conformance.conftest import Call
from tests.transfer.stores import fill, new_store, rows_of
from tests.unit.recordings import until


@pytest.fixture
def url(tmp_path):
    """A file with one of everything."""
    store_url = f"sqlite:///{tmp_path}/store.db"
    fill(store_url)
    return store_url


def silent(page_count, total):
    pass


def test_a_backup_holds_what_the_store_held(url, tmp_path):
    shown = []
    path = tmp_path / "backup.db"
    size = backup(url, path, progress=lambda *progress: shown.append(progress))
    assert size == path.stat().st_size
    assert shown[-1][0] == shown[-1][1] > 0
    assert rows_of(f"sqlite:///{path}") == rows_of(url)
    assert not list(tmp_path.glob("*.partial*"))


def test_a_backup_under_writers_ends_and_is_sound(url, tmp_path, monkeypatch):
    """Each event comes with its artifact: a state between two commits would lack one of them."""
    monkeypatch.setattr(module, "PAGES", 1)
    stop, execution_ids = threading.Event(), []

    def write():
        with closing(EmbeddedTransport(url)) as transport:
            call = Call(transport, dict)
            while not stop.is_set():
                step = {"execution": {"type_id": 12}, "artifact_event_pairs": []}
                step["artifact_event_pairs"] = [
                    {"artifact": {"type_id": 10, "uri": "u" * 1_000}, "event": {"type": 4}}
                ]
                execution_ids.append(call("PutExecution", **step).execution_id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for number in range(3):
            before = len(execution_ids)
            until(lambda: len(execution_ids) > before)  # noqa: B023 - called at once
            backup(url, tmp_path / f"{number}.db", progress=silent)
            report = check(f"sqlite:///{tmp_path}/{number}.db")
            assert report.findings.kept_findings == []
            counts.append(report.rows["executions"])
    finally:
        stop.set()
        writer.join()
    assert counts == sorted(set(counts))
    assert len(execution_ids) > 3


def test_a_file_that_is_there_is_replaced_only_with_force(url, tmp_path):
    path = tmp_path / "there"
    path.write_text("precious")
    with pytest.raises(errors.AlreadyExists, match="--force"):
        backup(url, path, progress=silent)
    assert path.read_text() == "precious"
    for force in (True, False):
        with pytest.raises(errors.InvalidArgument, match="replace the database itself"):
            backup(url, Path(url.removeprefix("sqlite:///")), force=force, progress=silent)
    backup(url, path, force=True, progress=silent)
    assert rows_of(f"sqlite:///{path}") == rows_of(url)
    with closing(EmbeddedTransport(f"sqlite:///{path}")) as transport:
        Call(transport, dict).put("artifact", {"type_id": 10})
        with pytest.raises(errors.FailedPrecondition, match="there-wal is beside it"):
            backup(url, path, force=True, progress=silent)


def test_what_fails_leaves_nothing(url, tmp_path):
    def interrupted(page_count, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(url, tmp_path / "new.db", progress=interrupted)
    with pytest.raises(errors.FailedPrecondition, match="can't be written: No such file"):
        backup(url, tmp_path / "no" / "new.db", progress=silent)
    with pytest.raises(errors.Unavailable, match="does it exist"):
        backup(f"sqlite:///{tmp_path}/missing.db", tmp_path / "new.db", progress=silent)
    (tmp_path / "empty.db").touch()
    with pytest.raises(errors.FailedPrecondition, match="empty"):
        backup(f"sqlite:///{tmp_path}/empty.db", tmp_path / "new.db", progress=silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "store.db"]


@pytest.mark.parametrize(
    ("backend", "program"), [("postgresql", "pg_dump"), ("mariadb", "mariadb-dump")]
)
def test_servers_have_programs_of_their_own(backend, program, tmp_path):
    with (
        new_store(backend, tmp_path) as url,
        pytest.raises(errors.Unimplemented, match=f"{program} .*lineage-store dump"),
    ):
        backup(url, tmp_path / "new.db", progress=silent)
