"""The SQL statements of a call: their number grows with its size only by the limits of a database.

Inserts carry at most 500 rows (fewer where a row has many columns: 32,766 values in a statement).
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, suppress

import pytest

from lineage_store import errors
from lineage_store.database import connection
from lineage_store.database.drivers.sqlite import MAX_ROWS
from lineage_store.database.upkeep import property_indexer as indexing
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.statements import observed_statements

MANY = 1_000


def counted() -> AbstractContextManager[list[str]]:
    """Collect the statements, leases of ids left out."""
    return observed_statements(lambda text: "counters" not in text)


@pytest.fixture
def engine(tmp_path, monkeypatch) -> Iterator[Engine]:
    monkeypatch.setattr(indexing, "IDLE_SECONDS", 3600)  # no statement from behind
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        for method, field, message in (
            ("PutArtifactType", "artifact_type", pb.ArtifactType(name="A")),
            ("PutExecutionType", "execution_type", pb.ExecutionType(name="E")),
            ("PutContextType", "context_type", pb.ContextType(name="C")),
        ):
            message.properties["p"] = pb.STRING
            engine.call(method, getattr(service, f"{method}Request")(**{field: message}))
        put(engine, 1, "warm")  # the type is in memory from here on
        yield engine


def artifacts(count: int, name: str) -> list[pb.Artifact]:
    nodes = [pb.Artifact(type_id=10, name=f"{name}{i}", uri=f"u{i}") for i in range(count)]
    for node in nodes:
        node.properties["p"].string_value = "v"
        node.custom_properties["c"].int_value = 1
    return nodes


def put(engine: Engine, count: int, name: str) -> list[int]:
    request = service.PutArtifactsRequest(artifacts=artifacts(count, name))
    return list(engine.call("PutArtifacts", request).artifact_ids)


@pytest.mark.parametrize("count", [2_048, 2_049, 2_731, 3_000])
def test_more_triples_than_fill_a_list_of_values(engine, count):
    """A list is filled up to a power of two, also where each element brings three values."""
    ids = put(engine, count, "m")
    execution = service.PutExecutionsRequest(executions=[pb.Execution(type_id=11)])
    [execution_id] = engine.call("PutExecutions", execution).execution_ids
    events = [pb.Event(artifact_id=i, execution_id=execution_id, type=pb.Event.INPUT) for i in ids]
    engine.call("PutEvents", service.PutEventsRequest(events=events))
    request = service.GetEventsByExecutionIDsRequest(execution_ids=[execution_id])
    answer = engine.call("GetEventsByExecutionIDs", request)
    stored_events = service.GetEventsByExecutionIDsResponse.FromString(answer).events
    assert sorted(event.artifact_id for event in stored_events) == sorted(ids)


def test_a_transaction_looks_once_whether_its_events_come_last(engine):
    execution = service.PutExecutionsRequest(executions=[pb.Execution(type_id=11)])
    [execution_id] = engine.call("PutExecutions", execution).execution_ids
    ids = put(engine, 20, "n")
    for of_type in (pb.Event.INPUT, pb.Event.OUTPUT):  # the first of them leases a block
        events = [pb.Event(artifact_id=i, execution_id=execution_id, type=of_type) for i in ids]
        with observed_statements() as texts:
            engine.call("PutEvents", service.PutEventsRequest(events=events))
    assert sum("counters" in text for text in texts) == 1


def inserts(rows: int) -> int:
    return math.ceil(rows / MAX_ROWS)


@pytest.mark.parametrize("count", [1, MANY])
def test_new_artifacts(engine, count):
    with counted() as texts:
        put(engine, count, "n")
    assert kinds(texts) == {
        "SELECT artifacts": 1,  # which of the names are taken
        "INSERT artifacts": inserts(count),
        "INSERT index_queue": 1,
        "INSERT commits": 1,
    }


@pytest.mark.parametrize("count", [1, MANY])
def test_updated_artifacts(engine, count):
    ids = put(engine, count, "n")
    nodes = artifacts(count, "n")
    for node, node_id in zip(nodes, ids, strict=True):
        node.id, node.uri = node_id, "changed"
    with counted() as texts:
        engine.call("PutArtifacts", service.PutArtifactsRequest(artifacts=nodes))
    assert kinds(texts) == {
        "SELECT artifacts": 1,
        "INSERT artifacts": inserts(count),
        "DELETE artifact_properties": 1,
        "INSERT artifact_properties": inserts(2 * count),
        "INSERT node_versions": inserts(count),
        "INSERT commits": 1,
    }


@pytest.mark.parametrize("count", [1, MANY])
def test_events(engine, count):
    ids = put(engine, count, "n")
    execution = service.PutExecutionsRequest(executions=[pb.Execution(type_id=11)])
    [execution_id] = engine.call("PutExecutions", execution).execution_ids
    events = [pb.Event(artifact_id=i, execution_id=execution_id, type=pb.Event.INPUT) for i in ids]
    with counted() as texts:
        engine.call("PutEvents", service.PutEventsRequest(events=events))
    assert kinds(texts) == {
        "SELECT artifacts": 1,
        "SELECT executions": 1,
        "SELECT events": 1,
        "INSERT events": inserts(count),
        "INSERT commits": 1,
    }


@pytest.mark.parametrize("count", [1, MANY])
def test_artifacts_by_id(engine, count):
    ids = put(engine, count, "n")
    with counted() as texts:
        engine.call("GetArtifactsByID", service.GetArtifactsByIDRequest(artifact_ids=ids))
    assert kinds(texts) == {"SELECT artifacts": 1}


def step(count: int, name: str, execution: pb.Execution) -> service.PutExecutionRequest:
    """Return a step with outputs; its context has the one name in all steps."""
    request = service.PutExecutionRequest(
        execution=execution, contexts=[pb.Context(type_id=12, name="run")]
    )
    request.options.reuse_context_if_already_exist = True
    for artifact in artifacts(count, name):
        pair = request.artifact_event_pairs.add(artifact=artifact)
        pair.event.type = pb.Event.OUTPUT
    return request


@pytest.mark.parametrize("count", [1, MANY // 2])
def test_a_new_step(engine, count):
    engine.call("PutExecution", step(1, "before", pb.Execution(type_id=11)))
    with counted() as texts:
        engine.call("PutExecution", step(count, "n", pb.Execution(type_id=11, name="e")))
    assert kinds(texts) == {
        "SELECT artifacts": 1,
        "SELECT executions": 1,
        "SELECT contexts": 1,
        "INSERT artifacts": inserts(count),
        "INSERT index_queue": 1,
        "INSERT executions": 1,
        "INSERT events": inserts(count),
        "INSERT attributions": inserts(count),
        "INSERT associations": 1,
        "INSERT commits": 1,
    }


@pytest.mark.parametrize("count", [1, MANY // 2])
def test_the_inputs_of_a_running_step(engine, count):
    ids = put(engine, count, "n")
    engine.call("PutExecution", step(1, "before", pb.Execution(type_id=11)))
    request = step(0, "", pb.Execution(id=1, last_known_state=pb.Execution.COMPLETE))
    for i in ids:
        request.artifact_event_pairs.add().event.MergeFrom(pb.Event(artifact_id=i, type=3))
    with counted() as texts:
        engine.call("PutExecution", request)
    assert kinds(texts) == {
        "SELECT artifacts": 1,
        "SELECT executions": 1,
        "SELECT contexts": 1,
        "SELECT events": 1,
        "INSERT executions": 1,
        "DELETE execution_properties": 1,
        "INSERT node_versions": 1,
        "INSERT events": inserts(count),
        "INSERT attributions": inserts(count),
        "INSERT associations": 1,
        "INSERT commits": 1,
    }


def kinds(texts: list[str]) -> dict[str, int]:
    """Count statements by verb and by the table that they are about."""
    counts: dict[str, int] = {}
    for text in texts:
        words = text.split()
        verb = "SELECT" if words[0] == "WITH" else words[0]
        table = words[words.index("INTO" if verb == "INSERT" else "FROM") + 1]
        if words[0] == "WITH":
            table = words[words.index("JOIN") + 1]
        key = f"{verb} {table}"
        counts[key] = counts.get(key, 0) + 1
    return counts


READS_ONCE = [
    ("GetArtifactsByID", {"artifact_ids": [1]}),
    ("GetArtifactByTypeAndName", {"type_name": "A", "artifact_name": "warm0"}),
    ("GetArtifactsByExternalIds", {"external_ids": ["x"]}),
    ("GetArtifactsByURI", {"uris": ["u0"]}),
    ("GetArtifactsByContext", {"context_id": 1}),
    ("GetEventsByArtifactIDs", {"artifact_ids": [1]}),
    ("GetContextsByArtifact", {"artifact_id": 1}),
    ("GetParentContextsByContext", {"context_id": 1}),
]


@pytest.mark.parametrize(("method", "fields"), READS_ONCE)
def test_a_read_of_one_statement_takes_no_transaction(engine, method, fields, monkeypatch):
    begins = []
    monkeypatch.setattr(connection.Connection, "begin", lambda *_, **__: begins.append(method))
    with counted() as texts, suppress(errors.NotFound):
        engine.call(method, getattr(service, f"{method}Request")(**fields))
    assert len(texts) == 1
    assert begins == []


def test_a_read_that_takes_more_than_one_statement_after_all_takes_a_transaction(engine):
    put(engine, 3, "n")
    request = service.GetArtifactsByIDRequest(artifact_ids=[1], populate_artifact_types=True)
    with counted() as texts:
        answer = engine.call("GetArtifactsByID", request)
    response = service.GetArtifactsByIDResponse.FromString(answer)
    assert (response.artifacts[0].name, response.artifact_types[0].name) == ("warm0", "A")
    assert kinds(texts) == {"SELECT artifacts": 2, "SELECT types": 1}
