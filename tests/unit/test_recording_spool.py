"""Spool files: their content, and the rest of them when they are damaged."""

import hashlib
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.recording.delivery.records import Refusal
from lineage_store.recording.delivery.replay import (
    Spool,
    SpoolDamaged,
    default_directory,
    recover,
    spool_path,
    spool_status,
)
from tests.unit.recordings import record

KEYS = [f"k{number:04}" for number in range(500)]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "deep" / "s.spool", url="grpc://host:1")


def keys(spool: Spool, count: int = 1000) -> list[str]:
    return [record.request.step.key for _, record in spool.first(count)]


def test_a_file_that_is_not_there_holds_nothing(spool: Spool) -> None:
    status = spool_status(spool.path)
    assert (status.pending, status.refused, status.url, status.bytes) == (0, 0, None, 0)
    assert spool.first() == []
    assert not spool.has_pending()
    assert recover(spool.path) is None
    assert not spool.path.exists()


def test_what_is_added_comes_back_in_order(spool: Spool) -> None:
    spool.add([record(key) for key in KEYS[:3]])
    spool.add([record(key) for key in KEYS[3:5]])
    assert keys(spool) == KEYS[:5]
    status = spool_status(spool.path)
    assert (status.pending, status.url) == (5, "grpc://host:1")
    assert status.oldest is not None
    assert status.bytes == spool.path.stat().st_size
    numbers = [number for number, _ in spool.first()]
    spool.settle(numbers[:2], {numbers[2]: "why"})
    assert keys(spool) == KEYS[3:5]
    assert spool_status(spool.path).refusals == {"why": 1}
    spool.keep_refused([Refusal(record("x"), "why")])
    assert spool_status(spool.path).refusals == {"why": 2}


def test_a_batch_is_bounded_in_bytes(spool: Spool) -> None:
    spool.add([record(key, text="x" * 3_000_000) for key in KEYS[:4]])
    assert keys(spool) == KEYS[:2]
    spool.settle([number for number, _ in spool.first()], {})
    assert keys(spool) == KEYS[2:4]


def test_many_threads_and_files_of_one_store(spool: Spool) -> None:
    def add(name: str) -> None:
        mine = Spool(spool.path)
        for number in range(20):
            mine.add([record(f"{name}{number:02}")])

    threads = [threading.Thread(target=add, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_keys = keys(spool)
    assert len(all_keys) == 60
    assert [key for key in all_keys if key.startswith("b")] == [f"b{n:02}" for n in range(20)]


def test_where_spool_files_are(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINEAGE_STORE_SPOOL", str(tmp_path))
    assert default_directory() == tmp_path
    monkeypatch.delenv("LINEAGE_STORE_SPOOL")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_directory() == tmp_path / "cache" / "lineage-store" / "spool"
    one, other = spool_path("grpc://a:1"), spool_path("grpc://b:1", tmp_path)
    assert one.name != other.name
    assert (one.suffix, other.parent) == (".spool", tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_file_that_was_cut(spool: Spool, share: float) -> None:
    spool.add([record(key, text="x" * 500) for key in KEYS])
    with spool.path.open("r+b") as file:
        file.truncate(int(spool.path.stat().st_size * share))
    with pytest.raises(SpoolDamaged, match=r"s\.spool is damaged"):
        spool_status(spool.path)
    saved = recover(spool.path)
    assert saved is not None
    assert saved.lost is not None
    assert saved.saved + saved.lost == len(KEYS)
    saved_keys = keys(spool)
    assert len(saved_keys) == saved.saved
    assert saved_keys == sorted(set(saved_keys) & set(KEYS))
    if saved.saved:
        assert spool_status(spool.path).url == "grpc://host:1"
    assert share < 0.3 or saved.saved > 0
    assert recover(spool.path) is None
    assert not list(spool.path.parent.glob("*.copy-*"))


def test_a_record_that_was_changed(spool: Spool) -> None:
    spool.add([record(key) for key in KEYS[:10]])
    with closing(sqlite3.connect(spool.path)) as connection, connection:
        connection.execute("UPDATE records SET body = x'00' || body WHERE id = 4")
    with pytest.raises(SpoolDamaged, match="checksum"):
        spool.first()
    saved = recover(spool.path)
    assert saved is not None
    assert (saved.saved, saved.lost) == (9, 1)
    assert keys(spool) == [*KEYS[:3], *KEYS[4:10]]


@pytest.mark.parametrize("content", [b"this is no database at all" * 50, b"SQLite format 3\0"])
def test_a_file_of_something_else(spool: Spool, content: bytes) -> None:
    spool.path.parent.mkdir()
    spool.path.write_bytes(content)
    with pytest.raises(SpoolDamaged):
        spool_status(spool.path)
    with pytest.raises(SpoolDamaged):
        spool.add([record("a")])
    saved = recover(spool.path)
    assert saved is not None
    assert (saved.saved, saved.lost) == (0, None)
    assert saved.damaged.read_bytes() == content
    spool.add([record("a")])
    assert keys(spool) == ["a"]


def test_the_database_of_something_else_is_not_touched(spool: Spool) -> None:
    spool.path.parent.mkdir()
    with closing(sqlite3.connect(spool.path)) as connection, connection:
        connection.execute("CREATE TABLE mine (x)")
    before = spool.path.read_bytes()
    with pytest.raises(SpoolDamaged, match="something else"):
        spool.add([record("a")])
    assert spool.path.read_bytes() == before


def test_a_file_that_can_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "dir.spool").mkdir()
    with pytest.raises(errors.Unavailable):
        Spool(tmp_path / "dir.spool").add([record("a")])


def test_a_rescue_that_fails_can_be_tried_again(spool: Spool, monkeypatch) -> None:
    spool.add([record(key, text="x" * 500) for key in KEYS])
    with spool.path.open("r+b") as file:
        file.truncate(spool.path.stat().st_size // 2)

    def fail(*_: object) -> None:
        raise errors.Unavailable("database or disk is full")

    monkeypatch.setattr(Spool, "restore", fail)
    with pytest.raises(errors.Unavailable):
        recover(spool.path)
    monkeypatch.undo()
    saved = recover(spool.path)
    assert saved is not None
    assert saved.saved == len(keys(spool)) > 0


def test_a_spool_whose_name_depended_on_the_password_is_taken_over(tmp_path: Path) -> None:
    url = "postgresql://me:secret@db/lineage"
    old = hashlib.sha256(url.encode()).hexdigest()[:16]
    for name in (f"{old}.spool", f"{old}.1-ab-000000001.journal", f"{old}.losses"):
        (tmp_path / name).write_text(name)
    path = spool_path(url, tmp_path)
    stem = path.name.removesuffix(".spool")
    assert stem != old
    names = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert names == {name.replace(old, stem): name for name in names.values()}
    assert len(names) == 3
    assert spool_path(url.replace("secret", "another"), tmp_path) == path
