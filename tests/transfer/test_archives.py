"""An archive holds all of a store, loads into any database, and is refused if it is not whole."""

import gzip
import json
import random
import sys
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lineage_store import connect, errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.checks.checking import check
from lineage_store.transfer import loading
from lineage_store.transfer.dumping import dump
from lineage_store.transfer.loading import load
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.conftest import Call
from tests.transfer.archives import records_of, write_records
from tests.transfer.stores import BACKENDS, fill, new_store, rows_of

FORMATS = ["store.jsonl", "store.jsonl.gz", "store"]


@pytest.fixture
def url(tmp_path):
    """A file with one of everything."""
    store_url = f"sqlite:///{tmp_path}/store.db"
    fill(store_url)
    return store_url


@pytest.fixture
def archive(url, tmp_path):
    """An archive of lines, with one of everything."""
    path = tmp_path / "store.jsonl"
    dump(url, path)
    return path


@pytest.fixture
def target(tmp_path):
    return f"sqlite:///{tmp_path}/target.db"


NEW_TABLES = {"type_versions", "artifact_report_versions", "commits"}
NEW_FIELDS = {"types": "revision", "artifact_reports": "revision"}
NEW_FIELDS |= {"cache_entries": "invalidation_recorded_at"}


def test_an_archive_of_version_1_gets_commits(archive, target):
    header, *records, _ = records_of(archive)
    header |= {"version": 1, "revision": "0006"}
    header["tables"] = {t: n for t, n in header["tables"].items() if t not in NEW_TABLES}
    before = [record for record in records if record["table"] not in NEW_TABLES]
    for record in before:
        record.pop(NEW_FIELDS.get(record["table"], ""), None)
    write_records(archive, [header, *before])
    load(archive, target)
    report = check(target)
    assert report.findings.kept_findings == []
    assert report.rows["commits"] > 5
    with connect(target) as store:
        assert len(store.artifacts.list(limit=100).items) == report.rows["artifacts"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_dumped_and_loaded_is_the_same_store(backend, name, tmp_path):
    path = tmp_path / name
    other = BACKENDS[(BACKENDS.index(backend) + 1 + FORMATS.index(name)) % 3]
    with new_store(backend, tmp_path) as url, new_store(other, tmp_path) as target:
        fill(url)
        before = rows_of(url)
        dumped = dump(url, path)
        assert dumped.bytes > 0
        loaded = load(path, target)
        rows = {table: len(rows) for table, rows in before.items() if table != "counters"}
        assert dumped.rows == loaded.rows == rows
        assert rows_of(target) == before
        assert check(target).findings.kept_findings == []
        again = tmp_path / f"again-{name}"
        dump(target, again)
        if name == "store.jsonl":  # equal stores make equal archives, but for the time
            assert again.read_bytes().splitlines()[1:-1][0].startswith(b'{"table":"types"')
            assert records_of(again)[1:-1] == records_of(path)[1:-1]
        with closing(EmbeddedTransport(target)) as transport:
            [new] = Call(transport, dict).put("artifact", {"type_id": 10})
            assert new >= before["counters"]["artifacts"]


def test_a_record_can_be_read_without_our_software(archive):
    lines = [json.loads(line) for line in archive.read_bytes().splitlines()]
    header, *records, end = lines
    assert header["format"] == "lineage-store archive"
    assert sum(header["tables"].values()) == len(records) == end["records"]
    artifacts = [record.get("body", {}) for record in records if record["table"] == "artifacts"]
    [body_of_artifact] = [body for body in artifacts if body.get("id") == "34"]
    assert (body_of_artifact["name"], body_of_artifact["type"], body_of_artifact["type_id"]) == (
        "n1",
        "Data",
        "10",
    )
    kinds = {record["table"] for record in records if "body_base64" in record}
    assert kinds <= {"artifacts", "node_versions"}  # those with what JSON can't say
    plain = [record for record in records if "body" in record]
    assert len(plain) > 100


def test_parquet_has_readable_columns(url, tmp_path):
    dump(url, tmp_path / "parquet")
    table = pq.read_table(tmp_path / "parquet" / "artifacts.parquet").to_pylist()
    [row] = [row for row in table if row["name"] == "n1"]
    assert row["uri"] == "u" * 3_000
    assert pb.Artifact.FromString(row["body"]).id == row["id"]


def test_an_archive_of_a_store_in_use_is_one_state(url, tmp_path):
    before = rows_of(url)

    def write(stage, row_count, total):
        if not path.exists() and row_count < 100:
            with closing(EmbeddedTransport(url)) as transport:
                Call(transport, dict).put("artifact", {"type_id": 10})

    path = tmp_path / "new.jsonl"
    dump(url, path, progress=write)
    target = f"sqlite:///{tmp_path}/target.db"
    load(path, target)
    assert rows_of(target) == before
    assert rows_of(url) != before


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_there_is_replaced_only_with_force(url, tmp_path, name, target):
    path = tmp_path / name
    dump(url, path)
    with pytest.raises(errors.AlreadyExists, match="--force"):
        dump(url, path)
    dump(url, path, force=True)
    load(path, target)
    assert sorted(p.name for p in tmp_path.iterdir() if "partial" in p.name) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_dump_that_fails_leaves_nothing(url, tmp_path, name):
    def interrupted(stage, row_count, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dump(url, tmp_path / name, progress=interrupted)
    with pytest.raises(errors.FailedPrecondition, match="No such file"):
        dump(url, tmp_path / "no" / name)
    assert {p.name for p in tmp_path.iterdir()} <= {"store.db", "store.db-wal", "store.db-shm"}


def test_a_full_disk(url):
    with pytest.raises(errors.ResourceExhausted, match=r"disk .* is full"):
        write_records(Path("/dev/full"), [{"x": 1}] * 5_000)
    with pytest.raises(errors.InvalidArgument, match="names no format"):
        dump(url, Path("archive.csv"))


def test_parquet_is_an_extra(url, tmp_path, monkeypatch):
    for name in ("pyarrow", "pyarrow.parquet", "lineage_store.transfer.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr("lineage_store.transfer.parquet", raising=False)
    with pytest.raises(errors.FailedPrecondition, match=r"pip install 'lineage-store\[parquet\]'"):
        dump(url, tmp_path / "parquet")
    assert not list(tmp_path.glob("parquet*"))


def refused(path: Path, target: str) -> str:
    """Return why an archive is refused; nothing was made of it."""
    with pytest.raises((errors.DataLoss, errors.InvalidArgument)) as caught:
        load(path, target)
    assert not Path(target.removeprefix("sqlite:///")).exists()
    return caught.value.message


def test_an_archive_that_was_cut_off_is_refused(archive, target, tmp_path):
    content = archive.read_bytes()
    lines = content.splitlines(keepends=True)
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(lines[:-1]))
    assert f"cut off behind line {len(lines) - 1}" in refused(path, target)
    path.write_bytes(b"".join(lines[:7]) + lines[7][:20])
    assert "line 8: it was cut off" in refused(path, target)
    for at in random.Random(1).sample(range(len(content)), 60):
        path.write_bytes(content[:at])
        assert "line" in refused(path, target) or at == 0


def test_an_archive_that_was_altered_is_refused_at_its_line(archive, target, tmp_path):
    lines = archive.read_bytes().splitlines(keepends=True)
    path = tmp_path / "altered.jsonl"
    changed = lines[20].replace(b'"recorded_at":1', b'"recorded_at":2')
    assert changed != lines[20]
    for altered, at in (
        ([*lines[:20], changed, *lines[21:]], 21),
        ([*lines[:20], *lines[21:]], 21),  # one is missing
        ([*lines[:20], lines[21], lines[20], *lines[22:]], 21),  # another order
        ([*lines[:20], lines[19], *lines[20:]], 21),  # one twice
        ([*lines, lines[-1]], len(lines) + 1),
        ([*lines[:20], b"{}\n", *lines[20:]], 21),
    ):
        path.write_bytes(b"".join(altered))
        assert f"line {at}:" in refused(path, target)


@pytest.mark.parametrize("name", FORMATS)
def test_no_altered_byte_goes_unseen(url, target, tmp_path, name):
    path = tmp_path / name
    dump(url, path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    chance = random.Random(2)
    for _ in range(60):
        file = chance.choice(files)
        content = bytearray(file.read_bytes())
        at = chance.randrange(len(content))
        before = bytes(content)
        content[at] ^= 1 << chance.randrange(8)
        file.write_bytes(content)
        try:
            load(path, target)
        except (errors.DataLoss, errors.InvalidArgument):
            file.write_bytes(before)
            continue
        # What is no content at all: the space between the lines of a manifest, a field of gzip.
        assert file.name in {"manifest.json", "store.jsonl.gz"}
        assert rows_of(target) == rows_of(url)
        Path(target.removeprefix("sqlite:///")).unlink()
        file.write_bytes(before)


def test_files_of_parquet_that_are_missing_or_exchanged(url, target, tmp_path):
    path = tmp_path / "parquet"
    dump(url, path)
    events = path / "events.parquet"
    content = events.read_bytes()
    events.unlink()
    assert "events.parquet: it is missing" in refused(path, target)
    events.write_bytes(content[:-10])
    assert "events.parquet: its SHA-256 is another" in refused(path, target)
    events.write_bytes(content)
    (path / "manifest.json").unlink()
    assert "manifest.json: it is missing" in refused(path, target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "line 1: its format has version 3, this software reads up to 2: upgrade"),
        ({"version": "1"}, "line 1: its header is malformed: version"),
        ({"format": "another"}, "line 1: it is not an archive of a lineage store"),
        ({"tables": {"approvals": 1}}, "tables that this software does not know: 'approvals'"),
        ({"tables": []}, "line 1: its header is malformed: tables"),
        ({"tables": {"events": -1}}, "line 1: its header is malformed: tables"),
        ({"counters": {"types": 2**60}}, "line 1: its header is malformed: counters"),
        ({"revision": None}, "line 1: its header is malformed: revision"),
    ],
)
def test_headers_that_are_refused(archive, target, change, message):
    header, *rest = records_of(archive)
    write_records(archive, [header | change, *rest[:-1]])
    assert message in refused(archive, target)


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"PK\x03\x04" * 99, b"[1]\n", b"\xff\n"])
def test_what_is_no_archive(tmp_path, target, content):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    refused(path, target)
    packed = tmp_path / "other.jsonl.gz"
    packed.write_bytes(gzip.compress(content))
    refused(packed, target)
    packed.write_bytes(content)
    refused(packed, target)
    with pytest.raises(errors.NotFound, match="does not exist"):
        load(tmp_path / "missing.jsonl", target)


def cut_after(rows):
    def progress(stage, row_count, total):
        if stage.startswith("loading") and row_count >= rows:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_load_that_is_cut_off_goes_on(url, tmp_path, monkeypatch, backend, name):
    monkeypatch.setattr(loading, "BATCH_ROWS", 7)
    path = tmp_path / name
    rows = dump(url, path).rows
    with new_store(backend, tmp_path) as target:
        for at in (0, 50, 150, sum(rows.values())):
            with pytest.raises(KeyboardInterrupt):
                load(path, target, progress=cut_after(at))
            with pytest.raises(errors.SchemaMismatch, match="same command again"):
                EmbeddedTransport(target)
        other = tmp_path / "other.jsonl"
        fill(f"sqlite:///{tmp_path}/other.db", rows=1)
        dump(f"sqlite:///{tmp_path}/other.db", other)
        with pytest.raises(errors.FailedPrecondition, match="half-filled from another source"):
            load(other, target)
        assert load(path, target).is_resumed
        assert rows_of(target) == rows_of(url)


def test_targets_that_can_not_be_loaded(archive, url, tmp_path):
    before = rows_of(url)
    with pytest.raises(errors.FailedPrecondition, match=r"the target: .* must be empty"):
        load(archive, url)
    assert rows_of(url) == before
    (tmp_path / "empty.db").touch()
    with pytest.raises(errors.FailedPrecondition, match=r"the target: .*read"):
        load(archive, f"sqlite:///{tmp_path}/empty.db?mode=ro")
