"""Journals: an appended record is there for others when the process is gone, and never before."""

import os
import stat
from pathlib import Path

import pytest

from lineage_store.recording.delivery import journal as module
from lineage_store.recording.delivery.journal import Journal, journals
from lineage_store.recording.delivery.orphans import Orphan, orphan, orphans
from tests.unit.recordings import record

KEYS = [f"k{number}" for number in range(20)]


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "0123abcd"


@pytest.fixture
def journal(stem: Path) -> Journal:
    return Journal(stem, "grpc://host:1", 1_000_000)


def append(journal: Journal, *keys: str) -> None:
    for key in keys:
        journal.append(record(key))


def keys(journal: Orphan) -> list[str]:
    return [each.request.step.key for each in journal.records]


def left_behind(stem: Path) -> list[str]:
    return [key for journal in orphans(stem) for key in keys(journal)]


def test_what_a_live_process_has_is_its_own(journal: Journal, stem: Path) -> None:
    assert not stem.parent.exists()
    assert [journal.append(record(key)) for key in KEYS[:3]] == [1, 2, 3]
    [path] = journals(stem)
    assert path.name.startswith(f"0123abcd.{os.getpid()}-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stem.parent.stat().st_mode) == 0o700
    assert list(orphans(stem)) == []
    journal.release()
    [orphan_journal] = orphans(stem)
    assert (keys(orphan_journal), orphan_journal.url, orphan_journal.damaged) == (
        KEYS[:3],
        "grpc://host:1",
        0,
    )
    assert [journal.append(record(key)) for key in KEYS[3:5]] == [4, 5]
    journal.release()
    assert sorted(left_behind(stem)) == KEYS[:5]


def test_what_is_settled_is_forgotten(journal: Journal, stem: Path) -> None:
    for key in KEYS[:3]:
        journal.append(record(key))
    [path] = journals(stem)
    journal.settle(2)  # of one file all or nothing is forgotten: what is sent twice is there once
    size = path.stat().st_size
    journal.settle(3)
    assert path.stat().st_size < size
    journal.append(record("later"))
    journal.forget()  # as if the process were killed
    assert left_behind(stem) == ["later"]


def test_a_process_that_sent_all_leaves_no_file(journal: Journal, stem: Path) -> None:
    journal.append(record("a"))
    journal.settle(journal.last)
    journal.release()
    assert journals(stem) == []


def test_a_long_journal_is_several_files(journal: Journal, stem: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 200)
    for key in KEYS:
        journal.append(record(key))
    whole = len(journals(stem))
    assert whole > 3
    journal.settle(10)
    assert 1 < len(journals(stem)) < whole
    journal.forget()
    kept_keys = left_behind(stem)
    assert kept_keys == KEYS[20 - len(kept_keys) :]
    assert len(kept_keys) >= 10


def test_it_holds_no_more_than_it_may(stem: Path) -> None:
    journal = Journal(stem, "", 500)
    with pytest.raises(OSError, match="as much as may be"):
        append(journal, *KEYS)
    last = journal.last
    assert 1 < last < len(KEYS)
    journal.settle(last)
    assert journal.append(record("again")) == last + 1
    with pytest.raises(OSError, match="as much as may be"):
        journal.append(record("large", text="x" * 500))


def test_what_others_have_counts_as_well(stem: Path) -> None:
    first = Journal(stem, "", 1500)
    with pytest.raises(OSError, match="as much as may be"):
        append(first, *KEYS * 10)
    first.release()
    with pytest.raises(OSError, match="as much as may be"):
        Journal(stem, "", 1500).append(record("b", text="x" * 100))


def test_the_last_entry_may_be_cut_anywhere(journal: Journal, stem: Path) -> None:
    journal.append(record("a"))
    [path] = journals(stem)
    before = path.stat().st_size
    journal.append(record("b"))
    journal.release()
    content = path.read_bytes()
    for size in range(before, len(content)):
        path.write_bytes(content[:size])
        with orphan(path) as orphan_journal:
            assert orphan_journal is not None
            assert (keys(orphan_journal), orphan_journal.damaged) == (["a"], 0), size


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
def test_damage_is_told_and_costs_one_place(journal: Journal, stem: Path, share: float) -> None:
    for key in KEYS:
        journal.append(record(key))
    journal.release()
    [path] = journals(stem)
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 0xFF
    path.write_bytes(bytes(content))
    with orphan(path) as orphan_journal:
        assert orphan_journal is not None
        assert orphan_journal.damaged == 1
        assert len(orphan_journal.records) >= len(KEYS) - 1
        orphan_journal.remove()
    [aside] = stem.parent.iterdir()
    assert ".damaged-" in aside.name


def test_a_write_that_breaks_off_harms_no_other(journal: Journal, stem: Path, monkeypatch) -> None:
    journal.append(record("a"))
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, content: write(fd, content[:7]))
    with pytest.raises(OSError, match="space"):
        journal.append(record("lost"))
    monkeypatch.setattr(os, "ftruncate", lambda fd, size: None)
    with pytest.raises(OSError, match="space"):
        journal.append(record("lost"))
    monkeypatch.undo()
    assert journal.append(record("b")) == 2
    journal.release()
    [orphan_journal] = orphans(stem)
    assert keys(orphan_journal) == ["a", "b"]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_that_lives_on_holds_no_lock(journal: Journal, stem: Path) -> None:
    journal.append(record("a"))
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        journal.forget()
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    try:
        assert left_behind(stem) == []
        journal.forget()
        assert left_behind(stem) == ["a"]
    finally:
        os.write(go[1], b"x")
        os.waitpid(child, 0)
        for fd in (*ready, *go):
            os.close(fd)
