"""A filter over properties never misses an acknowledged node, though the index follows behind."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from lineage_store.database.upkeep import property_indexer as indexing
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import galera, mariadb, postgresql
from tests.statements import observed_statements

WRITERS, NODES = 4, 60


@pytest.fixture(
    params=["sqlite", postgresql, mariadb, galera],
    ids=["sqlite", "postgresql", "mariadb", "galera"],
)
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with request.param.new_store() as url:
        yield url


@pytest.fixture
def never_idle(monkeypatch):
    """Let nothing be indexed but the properties that a filter needs."""
    monkeypatch.setattr(indexing, "IDLE_SECONDS", 3600)


def put_type(engine):
    request = service.PutArtifactTypeRequest()
    request.artifact_type.name = "A"
    return engine.call("PutArtifactType", request).type_id


def artifact(type_id, value):
    node = pb.Artifact(type_id=type_id)
    node.custom_properties["p"].int_value = value
    return node


def put(engine, *nodes):
    request = service.PutArtifactsRequest(artifacts=nodes)
    return list(engine.call("PutArtifacts", request).artifact_ids)


def ids_with(engine, value):
    request = service.GetArtifactsRequest()
    request.options.max_result_size = 100
    request.options.filter_query = f"custom_properties.p.int_value = {value}"
    answer = service.GetArtifactsResponse.FromString(engine.call("GetArtifacts", request))
    return [node.id for node in answer.artifacts]


def queue(engine):
    return engine._database._queued_keys()


def test_it_is_complete_for_the_first_filter_and_for_those_after_updates(url, never_idle):
    with closing(Engine(url)) as engine:
        type_id = put_type(engine)
        ids = put(engine, *(artifact(type_id, 7) for _ in range(3)))
        assert [size for _, size in queue(engine)] == [3]
        changed = artifact(type_id, 8)
        changed.id = ids[1]
        put(engine, changed)  # while it waits
        assert ids_with(engine, 7) == [ids[0], ids[2]]
        assert queue(engine) == []
        assert ids_with(engine, 8) == [ids[1]]
        changed.custom_properties["p"].int_value = 9
        put(engine, changed)
        assert (ids_with(engine, 8), ids_with(engine, 9)) == ([], [ids[1]])


def test_what_one_server_acknowledged_a_filter_of_another_finds_at_once(url, never_idle):
    with ExitStack() as stack:
        engines = [stack.enter_context(closing(Engine(url))) for _ in range(2)]
        type_id = put_type(engines[0])

        def write_and_look(who: int) -> None:
            writing, there = engines[who % 2], engines[1 - who % 2]
            for number in range(NODES):
                value = who * NODES + number
                assert put(writing, artifact(type_id, value)) == ids_with(there, value)

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write_and_look, range(WRITERS)))


def test_it_is_written_when_there_is_time(url):
    with closing(Engine(url)) as engine:
        put(engine, artifact(put_type(engine), 7))
        deadline = time.monotonic() + 20
        while queue(engine):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with observed_statements() as texts:
            assert len(ids_with(engine, 7)) == 1
        assert not any(text.startswith("INSERT") for text in texts)


def test_a_process_that_ended_leaves_the_queue_to_the_next(url, never_idle):
    with closing(Engine(url)) as engine:
        ids = put(engine, artifact(put_type(engine), 7))
    with closing(Engine(url)) as engine:
        assert len(queue(engine)) == 1
        assert ids_with(engine, 7) == ids


def test_too_long_a_queue_is_worked_off_under_load(tmp_path, monkeypatch):
    monkeypatch.setattr(indexing, "MAX_BEHIND", 50)
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        type_id = put_type(engine)
        stopped = threading.Event()

        def write() -> int:
            count = 0
            while not stopped.is_set():
                put(engine, artifact(type_id, count))
                count += 1
            return count

        with ThreadPoolExecutor(1) as pool:
            write_count = pool.submit(write)
            time.sleep(1)
            behind = sum(size for _, size in queue(engine))
            stopped.set()
            assert write_count.result() > behind


def test_a_store_opened_for_reading_finds_what_waits_to_be_indexed(tmp_path, never_idle):
    path = tmp_path / "store.db"
    with closing(Engine(f"sqlite:///{path}")) as engine:
        ids = put(engine, artifact(put_type(engine), 7))
    with closing(Engine(f"sqlite:///{path}?mode=ro")) as engine:
        assert ids_with(engine, 7) == ids
    with closing(Engine(f"sqlite:///{path}")) as engine:
        assert ids_with(engine, 7) == ids
    with closing(Engine(f"sqlite:///{path}?mode=ro")) as engine:
        assert ids_with(engine, 7) == ids


def test_large_batches_are_queued_in_parts(tmp_path, never_idle):
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        type_id = put_type(engine)
        put(engine, *(artifact(type_id, number % 50) for number in range(1200)))
        assert sorted(size for _, size in queue(engine)) == [200, 500, 500]
        assert len(ids_with(engine, 3)) == 24


def test_executions_that_caches_look_for_are_indexed_at_once(tmp_path, never_idle):
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        request = service.PutExecutionTypeRequest()
        request.execution_type.name = "E"
        type_id = engine.call("PutExecutionType", request).type_id
        node = pb.Execution(type_id=type_id)
        node.custom_properties["cache_fingerprint"].string_value = "f"
        engine.call(
            "PutExecutions",
            service.PutExecutionsRequest(executions=[node, pb.Execution(type_id=type_id)]),
        )
        assert queue(engine) == []


def test_it_is_complete_for_a_filter_within_a_context(url, never_idle):
    """GetArtifactsByContext takes one query as a rule, and is read without a transaction."""
    with closing(Engine(url)) as engine:
        type_id = put_type(engine)
        request = service.PutContextTypeRequest()
        request.context_type.name = "C"
        kind = engine.call("PutContextType", request).type_id
        put_contexts = service.PutContextsRequest(contexts=[pb.Context(type_id=kind, name="c")])
        [context_id] = engine.call("PutContexts", put_contexts).context_ids
        ids = put(engine, artifact(type_id, 7), artifact(type_id, 8))
        edges = service.PutAttributionsAndAssociationsRequest()
        for number in ids:
            edges.attributions.add(artifact_id=number, context_id=context_id)
        engine.call("PutAttributionsAndAssociations", edges)
        assert len(queue(engine)) > 0
        listing = service.GetArtifactsByContextRequest(context_id=context_id)
        listing.options.filter_query = "custom_properties.p.int_value = 7"
        encoded = engine.call("GetArtifactsByContext", listing)
        answer = service.GetArtifactsByContextResponse.FromString(encoded)
        assert [node.id for node in answer.artifacts] == ids[:1]
        assert queue(engine) == []
