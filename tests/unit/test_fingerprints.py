"""Fingerprints: equal content is equal, everything else is not, and no large file is read twice."""

import hashlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pytest

from lineage_store.errors import InvalidArgument
from lineage_store.fingerprints import digest_cache, files, values
from lineage_store.fingerprints.values import fingerprint, register

LARGE = b"x" * files.REMEMBERED_FROM


class Colour(StrEnum):
    RED = "red"


@dataclass
class Options:
    depth: int
    name: str = "x"


class Opaque:
    def __init__(self, weights: Any) -> None:
        self.weights = weights


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(values, "_registered", {})


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read; files are settled at once."""
    names: list[str] = []
    hash_file = files._hash_file

    def counted(path: Path, *args: Any) -> bytes:
        names.append(path.name)
        return hash_file(path, *args)

    monkeypatch.setattr(files, "_hash_file", counted)
    monkeypatch.setattr(files, "SETTLED_NS", -(10**10))
    return names


def all_differ(values: list[Any]) -> None:
    for one, other in combinations(values, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


def test_bytes_and_files_are_what_sha256sum_says(tmp_path: Path) -> None:
    content = b"a,b\n1,2\n"
    (tmp_path / "data.csv").write_bytes(content)
    expected = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert fingerprint(content) == expected
    assert fingerprint(tmp_path / "data.csv") == expected


def test_values_that_look_alike_differ() -> None:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    all_differ([None, True, 1, 1.0, "1", b"1", [1], {"1": 1}, {1: 1}, {1}, Decimal(1), Options(1)])
    all_differ(["red", Colour.RED, ["red"], PurePosixPath("red"), b"red", b'"red"'])
    all_differ([moment, moment.date(), moment.isoformat(), date(2026, 11, 24), timedelta(1)])
    all_differ([[["a"], "b"], [["a", "b"]], ["a", "b"], ["ab"], {"a"}, {"a", "b"}, [{"a"}, "b"]])
    all_differ([0.0, -0.0, float("inf"), UUID(int=0), str(UUID(int=0)), "", b"", [], {}, set()])


def test_a_type_can_be_registered() -> None:
    class Special(Opaque):
        pass

    with pytest.raises(InvalidArgument, match=r"test_fingerprints\.Opaque .*register\(Opaque, fun"):
        fingerprint(Opaque([1]))
    register(Opaque, lambda value: value.weights)
    assert fingerprint([Opaque([1])]) == fingerprint([Opaque([1])])
    all_differ([Opaque([1]), Opaque([2]), [1], Special([1])])
    register(Opaque, lambda value: value)
    with pytest.raises(InvalidArgument, match="returns the value itself"):
        fingerprint(Opaque(1))


def test_directories_are_names_and_contents(tmp_path: Path) -> None:
    def make(name: str, *files: tuple[str, str]) -> Path:
        for path, content in files:
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(content)
        return tmp_path / name

    one = make("one", ("a", "1"), ("b/c", "2"), ("b/d", "3"))
    assert fingerprint(one) == fingerprint(make("two", ("b/d", "3"), ("b/c", "2"), ("a", "1")))
    os.utime(one / "a", (0, 0))
    (one / "a").chmod(0o700)
    assert fingerprint(one) == fingerprint(tmp_path / "two")
    renamed = make("three", ("a", "1"), ("b/c", "2"), ("b/e", "3"))
    changed = make("four", ("a", "1"), ("b/c", "2"), ("b/d", "4"))
    moved = make("five", ("a", "1"), ("b/c", "2"), ("d", "3"))
    (make("six", ("a", "1"), ("b/c", "2"), ("b/d", "3")) / "empty").mkdir()
    all_differ([one, renamed, changed, moved, tmp_path / "six"])


def test_links_count_as_what_they_lead_to(tmp_path: Path) -> None:
    plain, linked, outside = (tmp_path / name for name in ("plain", "linked", "outside"))
    for directory in (plain / "in", linked, outside / "in"):
        directory.mkdir(parents=True)
    for path in (plain / "data", plain / "in" / "x", outside / "data", outside / "in" / "x"):
        path.write_text(path.name)
    for name in ("data", "in"):
        (linked / name).symlink_to(outside / name)
    assert fingerprint(linked) == fingerprint(plain)
    (outside / "in" / "x").write_text("changed")
    assert fingerprint(linked) != fingerprint(plain)


def test_links_that_lead_nowhere_or_back(tmp_path: Path) -> None:
    for name, target in (("a", "gone"), ("b", "lost")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "link").symlink_to(target)
    for name, target in (("c", "."), ("d", "..")):
        (tmp_path / name / "in").mkdir(parents=True)
        (tmp_path / name / "in" / "link").symlink_to(target)
    all_differ([tmp_path / name for name in "abcd"])
    (tmp_path / "self").symlink_to("self")
    assert fingerprint(tmp_path / "c") == fingerprint(tmp_path / "c")
    with pytest.raises(OSError, match="self"):
        fingerprint(tmp_path / "self")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fingerprint(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "socket", tmp_path, Path("/dev/null")):
            with pytest.raises(InvalidArgument, match="neither a file nor a directory"):
                fingerprint(path)


def test_progress_is_told_by_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK", 400_000)
    (tmp_path / "data").write_bytes(LARGE)
    progress: list[tuple[Path, int, int]] = []
    digest = fingerprint([tmp_path / "data"], progress=lambda *args: progress.append(args))
    assert [bytes_read for _, bytes_read, _ in progress] == [400_000, 800_000, len(LARGE)]
    assert {(path, size) for path, _, size in progress} == {(tmp_path / "data", len(LARGE))}
    assert digest == fingerprint([tmp_path / "data"])


def test_a_large_file_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    path = tmp_path / "data"
    path.write_bytes(LARGE)
    digests = [fingerprint(path), fingerprint(path), fingerprint(path)]
    assert len(set(digests)) == 1
    assert reads == ["data"]
    status = path.stat()
    path.write_bytes(LARGE[:-1] + b"y")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as if nothing had happened
    assert fingerprint(path) != digests[0]
    path.rename(tmp_path / "moved")
    fingerprint(tmp_path / "moved")
    assert reads == ["data", "data", "moved"]


def test_small_and_fresh_files_are_read_each_time(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "small").write_bytes(b"x")
    (tmp_path / "data" / "fresh").write_bytes(LARGE)
    monkeypatch.setattr(files, "SETTLED_NS", 60 * 10**9)
    for _ in range(2):
        fingerprint(tmp_path / "data")
    assert reads == ["fresh", "small"] * 2


@pytest.mark.parametrize("damage", [b"", b"no database " * 1000, None])
def test_a_damaged_memory_is_begun_again(
    tmp_path: Path, reads: list[str], damage: bytes | None
) -> None:
    path, cache = tmp_path / "data", tmp_path / "cache/lineage-store/file-digests-1.db"
    path.write_bytes(LARGE)
    digest = fingerprint(path)
    content = cache.read_bytes()
    cache.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert [fingerprint(path) for _ in range(3)] == [digest] * 3
    assert reads[:2] == ["data", "data"]
    reads.clear()
    assert fingerprint(path) == digest
    assert reads == []


def test_a_memory_that_cannot_be_written_does_no_harm(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_bytes(LARGE)
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    for _ in range(2):
        assert fingerprint(tmp_path / "data") == fingerprint(LARGE)
    assert reads == ["data", "data"]


def test_the_memory_is_bounded(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest_cache, "MAX_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_bytes(LARGE)
        fingerprint(tmp_path / name)
    for name in "cba":
        fingerprint(tmp_path / name)
    assert reads == ["a", "b", "c", "a"]


def test_no_library_is_imported_for_a_fingerprint() -> None:
    program = (
        "import sys; from lineage_store.fingerprints.values import fingerprint;"
        "from lineage_store.fingerprints.libraries import LIBRARIES;"
        "fingerprint({'a': 1}); print(set(LIBRARIES) & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"
