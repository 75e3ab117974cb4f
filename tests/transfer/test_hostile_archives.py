"""Archives whose checksums are right and whose records are not: the target is not opened."""

import base64
import copy
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.ids import MAX_ID
from lineage_store.transfer.dumping import dump
from lineage_store.transfer.loading import load
from lineage_store.v1 import metadata_pb2 as pb
from tests.transfer.archives import records_of, write_records
from tests.transfer.stores import fill


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """The header and the records of a store with one of everything."""
    directory = tmp_path_factory.mktemp("whole")
    fill(f"sqlite:///{directory}/store.db", rows=2)
    dump(f"sqlite:///{directory}/store.db", directory / "store.jsonl")
    return records_of(directory / "store.jsonl")[:-1]


def refusal(lines, tmp_path: Path) -> str:
    """Return why an archive of these lines is refused."""
    path, target = tmp_path / "hostile.jsonl", f"sqlite:///{tmp_path}/target.db"
    write_records(path, lines)
    with pytest.raises(errors.InvalidArgument) as caught:
        load(path, target)
    with pytest.raises(errors.SchemaMismatch):
        EmbeddedTransport(target)
    assert "drop it" in caught.value.message
    return caught.value.message


def changed(lines, of: str, /, **change):
    """Return the lines, and the number of the one that was changed: the first of a table.

    A change of None removes the value that it names; `body` is merged.
    """
    lines = copy.deepcopy(lines)
    number, record = next(
        (number, line)
        for number, line in enumerate(lines[1:], 2)
        if line["table"] == of and "body_base64" not in line
    )
    body = change.pop("body", None)
    record |= change
    if isinstance(body, dict):
        record["body"] |= body
        body = record["body"]
    for name, value in change.items():
        if value is None:
            record.pop(name)
    if body is not None:
        record["body"] = body
    return lines, number


def test_the_lines_as_they_are_load(lines, tmp_path):
    write_records(tmp_path / "whole.jsonl", lines)
    assert load(tmp_path / "whole.jsonl", f"sqlite:///{tmp_path}/target.db").rows["events"] > 0


def encoded(message) -> str:
    return base64.b64encode(message.SerializeToString()).decode()


INVALID_TEXT = pb.Artifact(id=1, type_id=1, uri="mark").SerializeToString()
INVALID_TEXT = base64.b64encode(INVALID_TEXT.replace(b"mark", b"\xff\xff\xff\xff")).decode()


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("artifacts", {"revision": "1"}, "revision is not a whole number"),
        ("artifacts", {"revision": True}, "revision is not a whole number"),
        ("artifacts", {"revision": 2**31}, "revision is not between"),
        ("artifacts", {"recorded_at": 2**63}, "recorded_at is not between"),
        ("artifacts", {"recorded_at": None}, "recorded_at is missing"),
        ("artifacts", {"surprise": 1}, "surprise is not known"),
        ("artifacts", {"body": "text"}, "body is not an object"),
        ("artifacts", {"body": {"id": "x"}}, "body is no Artifact"),
        ("artifacts", {"body": {"id": "0"}}, "id is not between"),
        ("artifacts", {"body": {"id": str(MAX_ID + 1)}}, "id is not between"),
        ("artifacts", {"body": {"no_such_field": 1}}, "body is no Artifact"),
        ("artifacts", {"body": {"type_id": "-1"}}, "type_id is not between"),
        ("artifacts", {"body": {"name": "n" * 513}}, "name has more than 512 characters"),
        ("artifacts", {"body": {"external_id": "n" * 513}}, "external_id has more than 512"),
        ("artifacts", {"body": {"name": "\ud800"}}, "body is no Artifact"),
        ("artifacts", {"body": {"properties": {"p" * 513: {"int_value": 1}}}}, "name of a prop"),
        ("artifacts", {"body_base64": "AA=="}, "either body or body_base64"),
        ("artifacts", {"table": "nodes"}, "it is of no table that the header names"),
        ("artifacts", {"table": 5}, "it is of no table that the header names"),
        ("types", {"kind": "thing"}, "its kind, or its bytes, are malformed"),
        ("types", {"kind": ["artifact"]}, "its kind, or its bytes, are malformed"),
        ("types", {"body": {"name": "other"}}, "type 1 is not the type that every store has"),
        ("events", {"id": 0}, "id is not between"),
        ("events", {"body": {"artifact_id": "0"}}, "artifact_id is not between"),
        ("attributions", {"context_id": 1.0}, "context_id is not a whole number"),
        ("attributions", {"artifact_id": None}, "artifact_id is missing"),
        ("cache_entries", {"digest": "ab"}, "digest does not have 32 bytes"),
        ("cache_entries", {"digest": "xy"}, "its kind, or its bytes, are malformed"),
        ("cache_entries", {"scope": "s" * 513}, "scope has more than 512 characters"),
        ("cache_entries", {"scope": "\ud800"}, "scope is not a text"),
        ("cache_claims", {"ended": 7}, "there is no ended 7"),
        ("artifact_reports", {"status": 77}, "there is no status 77"),
        ("node_versions", {"kind": "context"}, "node_id is not what its body says"),
    ],
)  # fmt: skip
def test_records_that_are_refused_at_their_line(lines, tmp_path, table, change, message):
    if table == "node_versions":  # those of the store are not plain JSON
        lines, number = with_version(lines)
        lines[number - 1] |= change | {"body": {"id": "2"}}
    else:
        lines, number = changed(lines, table, **change)
    message_of_refusal = refusal(lines, tmp_path)
    assert f"line {number}: {message}" in message_of_refusal or (
        message in message_of_refusal and f"line {number}: " in message_of_refusal
    )


def with_version(lines):
    lines = copy.deepcopy(lines)
    numbers = [n for n, line in enumerate(lines) if line.get("table") == "node_versions"]
    version = lines[numbers[0]]
    version.pop("body_base64", None)
    return lines, numbers[0] + 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("?", "body_base64 is not base64"),
        (5, "body is no Artifact"),
        (base64.b64encode(b"\xff\xff").decode(), "the body of the record can't be read"),
        (INVALID_TEXT, "a string in the body is not UTF-8"),
    ],
)
def test_bodies_that_are_refused(lines, tmp_path, body, message):
    lines, number = changed(lines, "artifacts")
    lines[number - 1].pop("body")
    lines[number - 1]["body_base64"] = body
    assert f"line {number}: {message}" in refusal(lines, tmp_path)


def test_lines_that_are_not_json_or_nested_beyond_measure(lines, tmp_path):
    for text in (b'{"table"}', b'{"a":' + b"[" * 100_000 + b"}", b'{"a":' + b"9" * 10_000 + b"}"):
        assert "line 3: it is not JSON" in refusal([*lines[:2], text, *lines[3:]], tmp_path)
        for path in tmp_path.glob("target.db*"):
            path.unlink()
    deep = {"struct_value": {}}
    for _ in range(90):
        deep = {"struct_value": {"a": deep["struct_value"]}}
    lines, _ = changed(lines, "artifacts", body={"custom_properties": {"deep": deep}})
    write_records(tmp_path / "deep.jsonl", lines)  # deep, and no deeper than a message can be
    try:
        load(tmp_path / "deep.jsonl", f"sqlite:///{tmp_path}/target.db")
    except errors.InvalidArgument as error:
        assert "body is no Artifact" in error.message  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("events", {"body": {"artifact_id": "999"}}, "artifact_id 999 is not in artifacts"),
        ("executions", {"body": {"type_id": "10"}}, "type_id 10 is a type of another kind"),
        ("artifacts", {"body": {"type_id": "999"}}, "type_id 999 is not in types"),
        ("attributions", {"context_id": 1, "artifact_id": 0}, "artifact_id is not between"),
        ("cache_hits", {"entry_id": 999}, "entry_id 999 is not in cache_entries"),
        ("artifact_reports", {"artifact_id": 999}, "artifact_id 999 is not in artifacts"),
    ],
)
def test_references_to_nothing(lines, tmp_path, table, change, message):
    lines, _ = changed(lines, table, **change)
    assert message in refusal(lines, tmp_path)


def test_records_that_are_there_twice_or_out_of_order(lines, tmp_path):
    number = next(n for n, line in enumerate(lines) if line.get("table") == "events")
    twice = [*lines[: number + 1], lines[number], *lines[number + 2 :]]
    assert f"line {number + 2}: the key (1,) of events is not in order" in refusal(twice, tmp_path)
    for path in tmp_path.glob("target.db*"):
        path.unlink()
    first = next(n for n, line in enumerate(lines) if line.get("table") == "executions")
    apart = [*lines[:first], *lines[first + 1 : number + 1], lines[first], *lines[number + 1 :]]
    assert "the records of executions are not in one place" in refusal(apart, tmp_path)


def test_two_nodes_of_one_name(lines, tmp_path):
    named = [n for n, line in enumerate(lines) if line.get("body", {}).get("name") == "n1"]
    lines = copy.deepcopy(lines)
    lines[named[0]]["body"]["name"] = "n0"
    path = tmp_path / "twice.jsonl"
    write_records(path, lines)
    with pytest.raises(errors.LineageError, match=r"in the target already|has the same"):
        load(path, f"sqlite:///{tmp_path}/target.db")


def test_counters_that_would_give_ids_out_twice(lines, tmp_path):
    lines = copy.deepcopy(lines)
    lines[0]["counters"]["artifacts"] = 3
    assert "ids of artifacts out twice" in refusal(lines, tmp_path)


def test_an_archive_without_system_types(lines, tmp_path):
    lines = copy.deepcopy([lines[0], *lines[2:]])
    lines[0]["tables"]["types"] -= 1
    assert "lacks some of the 9 system types" in refusal(lines, tmp_path)
