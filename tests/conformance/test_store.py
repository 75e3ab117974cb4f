"""The Python API, over an embedded engine and over a real server."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    LineageStore,
    connect,
    errors,
)


@pytest.fixture(params=["embedded", "grpc"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    database = f"sqlite:///{tmp_path / 'lineage.db'}"
    if request.param == "embedded":
        with connect(database) as opened:
            yield _with_types(opened)
        return
    server = Server(Settings(database=database, grpc="127.0.0.1:0", drain_seconds=0))
    server.start()
    try:
        with connect(f"grpc://{server.address}") as opened:
            yield _with_types(opened)
    finally:
        server.stop()


def _with_types(store: LineageStore) -> LineageStore:
    declared: dict[str, Any] = {
        "rows": int,
        "share": float,
        "origin": str,
        "ok": bool,
        "more": dict,
    }
    store.put_artifact_type(ArtifactType(name="Data", properties=declared))
    store.put_execution_type(ExecutionType(name="Train", base_type="mlmd.Train"))
    store.put_context_type(ContextType(name="Run"))
    return store


def test_types(store: LineageStore) -> None:
    data = store.get_artifact_type("Data")
    assert data.properties["more"] == "STRUCT"
    assert store.put_artifact_type(data) == data.id
    more = replace(data, properties={**data.properties, "extra": int})
    with pytest.raises(errors.AlreadyExists):
        store.put_artifact_type(more)
    assert store.put_artifact_type(more, can_add_fields=True) == data.id
    other = store.put_artifact_type(ArtifactType(name="Data", version="2", description="new"))
    assert store.get_artifact_type("Data", "2").id == other != data.id
    assert [each.version for each in store.list_artifact_types()] == [None, "2"]
    assert [each.base_type for each in store.list_execution_types()] == ["mlmd.Train"]
    assert store.find_context_type("nope") is None
    with pytest.raises(errors.NotFound):
        store.get_execution_type("nope")


def test_put_and_get_an_artifact(store: LineageStore) -> None:
    artifact = Artifact(
        type="Data",
        name="a",
        uri="s3://a",
        external_id="e",
        state=ArtifactState.LIVE,
        properties={"rows": 1, "share": 0.5, "origin": "x", "ok": True, "more": {"k": [1]}},
        custom_properties={"rows": "many"},
    )
    artifact_id = store.put_artifact(artifact)
    stored = store.get_artifact(artifact_id)
    assert stored.create_time == stored.update_time is not None
    unset = {"create_time": None, "update_time": None, "type_id": None, "id": None}
    assert replace(stored, **unset) == artifact  # type: ignore[arg-type]
    assert store.get_artifact(type="Data", name="a") == stored
    assert store.get_artifact(external_id="e") == stored
    assert store.find_artifacts_by_uri("s3://a", "s3://b") == [stored]


def test_what_is_missing(store: LineageStore) -> None:
    assert store.find_artifact(99) is None
    assert store.find_execution(external_id="nope") is None
    assert store.find_context(type="Run", name="nope") is None
    for choice in ({"id": 99}, {"external_id": "nope"}, {"type": "Data", "name": "nope"}):
        with pytest.raises(errors.NotFound, match="no artifact has the"):
            store.get_artifact(**choice)
    with pytest.raises(errors.NotFound, match="7, 8"):
        store.get_artifacts([7, 8])
    with pytest.raises(errors.InvalidArgument, match="name one context"):
        store.get_context(type="Run")
    with pytest.raises(errors.NotFound):
        store.put_artifact(Artifact(type="Nope"))
    with pytest.raises(errors.InvalidArgument, match=r"artifact\.type must be set"):
        store.put_artifact(Artifact())


def test_an_update_is_whole_or_masked(store: LineageStore) -> None:
    one = store.put_artifact(Artifact(type="Data", uri="u", properties={"rows": 1}))
    store.put_artifact(Artifact(id=one, properties={"rows": 2}), fields=["properties.rows"])
    stored = store.get_artifact(one)
    assert (stored.uri, stored.properties) == ("u", {"rows": 2})
    store.put_artifact(Artifact(id=one, uri="v"))
    stored = store.get_artifact(one)
    assert (stored.uri, stored.properties) == ("v", {})
    run = store.put_execution(Execution(type="Train", custom_properties={"a": 1}))
    completed = Execution(id=run, state=ExecutionState.COMPLETE)
    store.put_execution(completed, fields=["state"])
    assert store.get_execution(run).state is ExecutionState.COMPLETE
    assert store.get_execution(run).custom_properties == {"a": 1}
    with pytest.raises(errors.InvalidArgument):
        store.put_execution(completed, fields=[])


def test_a_stale_update_is_refused_when_asked(store: LineageStore) -> None:
    read = store.get_artifact(store.put_artifact(Artifact(type="Data")))
    stale = replace(read, update_time=(read.update_time or 0) - 1)
    with pytest.raises(errors.FailedPrecondition):
        store.put_artifact(stale, if_unchanged=True)
    store.put_artifact(read, if_unchanged=True)


def test_listings_page_and_stream(store: LineageStore) -> None:
    ids = store.put_artifacts([Artifact(type="Data", name=f"a{at}") for at in range(205)])
    first = store.list_artifacts(type="Data", limit=3)
    assert [node.id for node in first] == ids[:3]
    second = store.list_artifacts(type="Data", limit=3, page_token=first.next_page_token)
    assert [node.id for node in second] == ids[3:6]
    assert [node.id for node in store.iter_artifacts()] == ids
    newest = store.iter_artifacts(type="Data", ascending=False, order_by="create_time", limit=150)
    assert [node.id for node in newest] == ids[::-1][:150]
    assert list(store.iter_artifacts(limit=0)) == []
    assert store.list_artifacts(type="Nope").items == []
    assert len(store.list_artifacts(limit=1000)) == 100
    for wrong in ({"limit": 0}, {"order_by": "name"}, {"type": "Data", "context": 1}):
        with pytest.raises(errors.InvalidArgument):
            store.list_artifacts(**wrong)


def test_contexts_and_what_is_in_them(store: LineageStore) -> None:
    outer, inner = store.put_contexts([Context(type="Run", name=name) for name in ("o", "i")])
    store.add_parent_context(inner, parent=outer)
    assert [parent.id for parent in store.list_parent_contexts(inner)] == [outer]
    assert [child.id for child in store.list_child_contexts(outer)] == [inner]
    artifact = store.get_artifact(store.put_artifact(Artifact(type="Data")))
    assert store.list_contexts_of(artifact=artifact) == []
    execution = store.put_execution(Execution(type="Train"))
    store.add_to_context(inner, artifacts=[artifact], executions=[execution])
    assert store.list_artifacts(context=inner).items == [artifact]
    assert [member.id for member in store.iter_executions(context=inner)] == [execution]
    assert [context.name for context in store.list_contexts_of(execution=execution)] == ["i"]
    assert [context.name for context in store.iter_contexts(type="Run")] == ["o", "i"]


def test_a_step_in_one_call(store: LineageStore) -> None:
    data = store.get_artifact(store.put_artifact(Artifact(type="Data", uri="keep me")))
    ids = store.record_execution(
        Execution(type="Train", state=ExecutionState.COMPLETE),
        inputs={"data": replace(data, uri="not written")},
        outputs={"models": [Artifact(type="Data", name="m0"), Artifact(type="Data", name="m1")]},
        contexts=[Context(type="Run", name="r")],
    )
    assert ids.input_ids == [data.id]
    assert store.get_artifact(ids.input_ids[0]) == data
    events = store.list_events(execution=ids.execution_id)
    assert [(event.artifact_id, event.type, event.path) for event in events] == [
        (data.id, EventType.INPUT, ("data", 0)),
        (ids.output_ids[0], EventType.OUTPUT, ("models", 0)),
        (ids.output_ids[1], EventType.OUTPUT, ("models", 1)),
    ]
    again = store.record_execution(
        Execution(type="Train"), inputs=ids.output_ids, contexts=[Context(type="Run", name="r")]
    )
    assert again.context_ids == ids.context_ids
    tied = store.record_execution(Execution(type="Train"), contexts=ids.context_ids)
    assert tied.context_ids == ids.context_ids
    assert len(store.list_executions(context=ids.context_ids[0])) == 3
    assert len(store.list_events(artifact=ids.output_ids)) == 4


def test_an_artifact_may_be_an_input_under_several_names(store: LineageStore) -> None:
    data = store.get_artifact(store.put_artifact(Artifact(type="Data", uri="u")))
    new, other = Artifact(type="Data", name="new"), Artifact(type="Data", name="other")
    ids = store.record_execution(
        Execution(type="Train"),
        inputs={"train": data, "new": new, "test": [other, data.id or 0], "again": new},
    )
    assert ids.input_ids == [data.id, ids.input_ids[1], ids.input_ids[2], data.id, ids.input_ids[1]]
    assert len(set(ids.input_ids)) == 3
    events = store.list_events(execution=ids.execution_id)
    assert {event.artifact_id: event.path for event in events} == {
        data.id: ("train", 0, "test", 1),
        ids.input_ids[1]: ("new", 0, "again", 0),
        ids.input_ids[2]: ("test", 0),
    }
    assert "train, test/1: Data u" in str(store.lineage(execution=ids.execution_id).upstream())


def test_without_names_each_new_artifact_is_another(store: LineageStore) -> None:
    new = Artifact(type="Data")
    ids = store.record_execution(Execution(type="Train"), inputs=[new, new], outputs=[new] * 2)
    assert len({*ids.input_ids, *ids.output_ids}) == 4
    artifact_id = ids.input_ids[0]
    again = store.record_execution(Execution(type="Train"), inputs=[artifact_id, artifact_id])
    assert again.input_ids == [artifact_id, artifact_id]
    assert len(store.list_events(execution=again.execution_id)) == 1


def test_an_artifact_is_written_in_one_place(store: LineageStore) -> None:
    data = store.put_artifact(Artifact(type="Data"))
    message = f"artifact {data} is an output twice, as one and other"
    with pytest.raises(errors.InvalidArgument, match=message):
        store.record_execution(Execution(type="Train"), outputs={"one": data, "other": data})
    assert store.list_executions().items == []


def test_a_step_that_fails_leaves_nothing(store: LineageStore) -> None:
    with pytest.raises(errors.InvalidArgument):
        store.record_execution(
            Execution(type="Train"), outputs=[Artifact(type="Data", properties={"nope": 1})]
        )
    assert store.list_executions().items == []
    with pytest.raises(errors.NotFound):
        store.record_execution(Execution(type="Train"), contexts=[12345])


def test_a_subgraph_in_one_call(store: LineageStore) -> None:
    ids = store.put_subgraph(
        executions=[Execution(type="Train"), Execution(type="Train")],
        artifacts=[Artifact(type="Data")],
        contexts=[Context(type="Run", name="r")],
        events=[(0, 0, Event(type=EventType.OUTPUT)), (1, 0, Event(type=EventType.INPUT))],
    )
    events = store.list_events(artifact=ids.artifact_ids)
    assert [event.execution_id for event in events] == ids.execution_ids
    with pytest.raises(errors.OutOfRange):
        store.put_subgraph(events=[(0, 0, Event(type=EventType.OUTPUT))])


def test_events(store: LineageStore) -> None:
    artifact = store.put_artifact(Artifact(type="Data"))
    execution = store.put_execution(Execution(type="Train"))
    event = Event(artifact_id=artifact, execution_id=execution, type=EventType.INPUT, time=7)
    store.put_events([event])
    assert store.list_events(artifact=artifact) == [event]
    with pytest.raises(errors.AlreadyExists):
        store.put_events([event])
    with pytest.raises(errors.InvalidArgument):
        store.list_events()


def test_many_threads_share_a_store(store: LineageStore) -> None:
    def put(at: int) -> int:
        return store.put_artifact(Artifact(type="Data", name=f"n{at}"))

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(put, range(64)))
    assert len(set(ids)) == 64


def test_a_closed_store_says_so(store: LineageStore) -> None:
    store.close()
    with pytest.raises(errors.FailedPrecondition):
        store.list_artifacts()


@pytest.mark.parametrize(
    "call",
    [
        lambda: connect("oracle://x/y"),
        lambda: connect("lineage:8080"),
        lambda: connect("grpc://nowhere"),
        lambda: connect("grpc://h:1", ca=b"x"),
        lambda: connect("grpcs://h:1", ca="/no/such/file"),
    ],
)
def test_a_url_of_no_known_form(call: Callable[[], LineageStore]) -> None:
    with pytest.raises(errors.InvalidArgument):
        call()


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(errors.Unavailable):
        connect("grpc://127.0.0.1:1", connect_timeout=0.2)
