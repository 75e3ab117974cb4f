"""Revisions, versions and changes, over every transport and database."""

from itertools import islice

import pytest

from lineage_store import Artifact, ArtifactType, connect, errors
from lineage_store.client.store import ClientStore
from lineage_store.consistency import Consistency
from lineage_store.v1 import history_pb2 as pb
from tests.conformance.conftest import Call


@pytest.fixture
def store(call: Call) -> ClientStore:
    store = ClientStore(call.transport)
    store.put_artifact_type(ArtifactType(name="Model", properties={"accuracy": float}))
    return store


def put(store: ClientStore, name: str, accuracy: float, **fields) -> int:
    node = Artifact(type="Model", name=name, properties={"accuracy": accuracy}, **fields)
    [node_id] = store.artifacts.put(node)
    return node_id


def names(store: ClientStore, where: str) -> list[str]:
    return sorted(artifact.name for artifact in store.artifacts.list(where=where).items)


def test_a_write_answers_a_revision_that_reads_can_name(store):
    model = put(store, "m", 0.5)
    first = store.last_revision
    put(store, "m", 0.9, id=model, uri="s3://new")
    put(store, "late", 0.7)
    with store.at(first) as then:
        assert then.artifacts.get(model).properties == {"accuracy": 0.5}
        assert names(then, "properties.accuracy.double_value > 0.4") == ["m"]
        assert [node.name for node in then.lineage(f"artifact:{model}").both().nodes] == ["m"]
        with pytest.raises(errors.NotFound, match=r"not known then: artifact .* at 20..-"):
            then.artifacts.get("Model/late")
        with pytest.raises(errors.NotFound, match="no artifact has the id 999"):
            then.artifacts.get(999)
    assert names(store, "properties.accuracy.double_value > 0.6") == ["late", "m"]


def test_the_past_can_not_be_written(store):
    put(store, "m", 0.5)
    with pytest.raises(errors.InvalidArgument, match="PutArtifacts can't be called as of"):
        put(store.at(store.last_revision), "m2", 0.1)


def test_versions_with_their_changes(store):
    model = put(store, "m", 0.5)
    put(store, "m", 0.9, id=model, uri="s3://new", custom_properties={"note": "kept"})
    put(store, "m", 0.9, id=model, uri="s3://new")
    first, second, third = store.artifacts.history(model)
    assert [one.number for one in (first, second, third)] == [1, 2, 3]
    assert first.changes == []
    assert [str(change) for change in second.changes] == [
        'custom_properties.note: unset -> "kept"',
        "properties.accuracy: 0.5 -> 0.9",
        'uri: "" -> "s3://new"',
    ]
    assert [str(change) for change in third.changes] == ['custom_properties.note: "kept" -> unset']
    assert first.node.properties == {"accuracy": 0.5}
    assert first.recorded_at < second.recorded_at < third.recorded_at
    assert second.commit is not None
    assert second.commit.revision.recorded_at == second.recorded_at
    assert ":" in second.commit.writer  # host and process
    assert store.artifacts.history("Model/m") == [first, second, third]


def test_a_long_history_comes_in_parts(store):
    model = put(store, "m", 0.0)
    for accuracy in range(1, 12):
        put(store, "m", float(accuracy), id=model)
    request = pb.GetHistoryRequest(kind=pb.Fact.ARTIFACT, id=model, max_versions=5)
    numbers, changes = [], []
    while True:
        response = store._transport.call("GetHistory", request)
        numbers += [version.version for version in response.versions]
        changes += [len(version.changes) for version in response.versions]
        if not response.has_more:
            break
        request.after_version = numbers[-1]
    assert numbers == list(range(1, 13))
    assert changes == [0] + [1] * 11


def test_a_node_that_is_not_there_has_no_history(store):
    with pytest.raises(errors.NotFound, match="there is no artifact 999"):
        store.artifacts.history(999)


def test_changes_and_watching(store):
    begin = store.history.revision().token
    model = put(store, "m", 0.5)
    put(store, "m", 0.6, id=model)
    commits = list(store.history.changes(begin))
    assert [one.facts for one in commits] == [
        [("artifact", (model, 1))],
        [("artifact", (model, 2))],
    ]
    assert list(islice(store.history.watch(begin), 2)) == commits
    assert list(store.history.changes(commits[-1].revision.token)) == []
    assert list(store.history.changes(begin, kinds=["event"])) == []
    everything = list(store.history.changes())
    numbers = [one.revision.number for one in everything]
    assert numbers == list(range(1, len(numbers) + 1))
    with pytest.raises(
        errors.InvalidArgument, match="there is no kind 'model'; the kinds are type"
    ):
        list(store.history.changes(begin, kinds=["model"]))


def test_revisions_of_a_time(store):
    first = store.history.revision()
    put(store, "m", 0.5)
    last = store.history.revision()
    assert store.history.revision(first.recorded_at) == first
    assert store.history.revision(last.recorded_at).number == first.number + 1
    assert store.history.revision("9000-01-01T00:00:00+00:00") == last
    with pytest.raises(errors.NotFound, match="the first commit of the store is of 20"):
        store.history.revision("1970-01-02T00:00:00+00:00")
    with pytest.raises(errors.InvalidArgument, match="needs a time zone"):
        store.at("2026-06-30T12:00:00")


def test_read_your_writes(store):
    put(store, "m", 0.5)
    assert names(store.at_least(store.last_revision), "name = 'm'") == ["m"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda token: token[:-2], errors.InvalidArgument, "was the token cut short?"),
        (lambda token: token + "9", errors.OutOfRange, "has not reached that revision"),
        (lambda token: "r1.0f0f0f0f." + token[12:], errors.FailedPrecondition, "another store"),
        (lambda token: "r1.\0", errors.InvalidArgument, "is not the token of a revision"),
        (lambda token: token + "9" * 40, errors.InvalidArgument, "is not the token of a revision"),
    ],
)
def test_tokens_that_are_refused(store, change, error, message):
    token = change(store.history.revision().token)
    request = pb.GetChangesRequest(after=token)
    with pytest.raises(error, match=message):
        store._transport.call("GetChanges", request)
    if "\0" not in token:  # metadata can't hold it
        with pytest.raises(error, match=message):
            store.at(token).artifacts.list()


def test_a_revision_that_does_not_come(tmp_path, monkeypatch):
    monkeypatch.setattr("lineage_store.engine.history.waiting.WAIT_SECONDS", 0.2)
    with connect(tmp_path / "store.db") as store:
        token = store.history.revision().token
        with pytest.raises(errors.OutOfRange, match="has not reached the revision"):
            store.at_least(token + "9").artifacts.list()


def test_reads_name_their_revision_when_they_are_asked(store):
    put(store, "m", 0.5)
    revision = store.last_revision
    asking = ClientStore(store._revisions.pinned(Consistency(wants_revision=True)))
    asking.artifacts.list()
    assert asking.last_revision == revision
