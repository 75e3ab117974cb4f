"""The SQL statements of a walk: some for each hop, none for each node; and their plans."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy.dialects import mysql, postgresql

from lineage_store.database.queries import event_log, lineage
from lineage_store.engine import Engine
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.unit.test_database_statements import counted, kinds

WIDTH = 200
UPSTREAM = pb.LineageSubgraphQueryOptions.UPSTREAM


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:
    """WIDTH artifacts -> e1 -> one artifact -> e2 -> another one, whose id is the last."""
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        types = service.PutTypesRequest(
            artifact_types=[pb.ArtifactType(name="A")], execution_types=[pb.ExecutionType(name="E")]
        )
        engine.call("PutTypes", types)
        request = service.PutLineageSubgraphRequest()
        for at in range(WIDTH + 2):
            request.artifacts.add(type_id=10, uri=f"u{at}")
        for at in range(2):
            request.executions.add(type_id=11)
            output = request.event_edges.add(artifact_index=WIDTH + at, execution_index=at)
            output.event.type = pb.Event.OUTPUT
        inputs = [*((i, 0) for i in range(WIDTH)), (WIDTH, 1)]
        for artifact, execution in inputs:
            edge = request.event_edges.add(artifact_index=artifact, execution_index=execution)
            edge.event.type = pb.Event.INPUT
        engine.call("PutLineageSubgraph", request)
        yield engine


def walk() -> lineage_pb2.Walk:
    walk = lineage_pb2.Walk(direction=UPSTREAM)
    walk.start.kind = lineage_pb2.ARTIFACT
    walk.start.ids.ids.append(WIDTH + 2)
    return walk


def test_a_trace(engine):
    with counted() as texts:
        parts = list(engine.stream("Trace", lineage_pb2.TraceRequest(walk=walk())))
    verdict = lineage_pb2.TraceResponse.FromString(parts[-1]).verdict
    assert (verdict.complete, verdict.node_count) == (True, WIDTH + 4)
    # Does the start exist; then a look at the events of each hop, and at the nodes behind them.
    assert kinds(texts) == {"SELECT artifacts": 4, "SELECT executions": 2, "SELECT events": 5}


def test_a_trace_that_is_not_read_on_holds_no_transaction(engine):
    parts = engine.stream("Trace", lineage_pb2.TraceRequest(walk=walk()))
    next(parts)
    engine.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[pb.Artifact(type_id=10)]))
    with closing(sqlite3.connect(engine._database._driver.path)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy
    assert lineage_pb2.TraceResponse.FromString([*parts][-1]).verdict.complete


def test_a_summary(engine):
    with counted() as texts:
        engine.call("Summarize", lineage_pb2.SummarizeRequest(walk=walk()))
    assert kinds(texts) == {"SELECT artifacts": 4, "SELECT executions": 2, "SELECT events": 5}
    assert not any("body" in text for text in texts)


def test_paths(engine):
    request = lineage_pb2.FindPathsRequest()
    request.source.kind = request.target.kind = lineage_pb2.ARTIFACT
    request.source.id, request.target.id = 1, WIDTH + 2
    with counted() as texts:
        answer = lineage_pb2.FindPathsResponse.FromString(engine.call("FindPaths", request))
    assert len(answer.paths) == 1
    # Two ends, the closure, its events, the events and nodes of the path.
    assert len(texts) == 7


def test_paths_without_repeats_are_as_cheap_where_nothing_was_written_twice(engine):
    request = lineage_pb2.FindPathsRequest(fold_cached=True)
    request.source.kind = request.target.kind = lineage_pb2.ARTIFACT
    request.source.id, request.target.id = 1, WIDTH + 2
    with counted() as texts:
        engine.call("FindPaths", request)
    assert len(texts) == 7


def test_a_subgraph(engine):
    request = service.GetLineageSubgraphRequest()
    options = request.lineage_subgraph_query_options
    options.starting_artifacts.filter_query = f"id = {WIDTH + 2}"
    options.direction = UPSTREAM
    request.read_mask.paths.extend(["artifacts", "executions", "events"])
    with counted() as texts:
        engine.call("GetLineageSubgraph", request)
    assert kinds(texts) == {"SELECT artifacts": 1, "SELECT events": 5}


@pytest.fixture
def loaded(engine) -> Engine:
    """The same with its graph in memory."""
    engine.load_graph(wait=True)
    return engine


def test_a_subgraph_from_memory(loaded):
    request = service.GetLineageSubgraphRequest()
    options = request.lineage_subgraph_query_options
    options.starting_artifacts.filter_query = f"id = {WIDTH + 2}"
    request.read_mask.paths.extend(["artifacts", "executions", "events"])
    with counted() as texts:
        answer = loaded.call("GetLineageSubgraph", request)
    graph = service.GetLineageSubgraphResponse.FromString(answer).lineage_subgraph
    assert (len(graph.artifacts), len(graph.events)) == (WIDTH + 2, WIDTH + 3)
    # Where to start, and whether there are newer events than those in memory.
    assert kinds(texts) == {"SELECT artifacts": 1, "SELECT events": 1}


def test_a_trace_from_memory(loaded):
    with counted() as texts:
        parts = list(loaded.stream("Trace", lineage_pb2.TraceRequest(walk=walk())))
    assert lineage_pb2.TraceResponse.FromString(parts[-1]).verdict.node_count == WIDTH + 4
    # As from the database, but for one look at the last event in each transaction.
    assert kinds(texts) == {"SELECT artifacts": 4, "SELECT executions": 2, "SELECT events": 7}


def test_a_summary_from_memory(loaded):
    with counted() as texts:
        loaded.call("Summarize", lineage_pb2.SummarizeRequest(walk=walk()))
    assert kinds(texts) == {"SELECT artifacts": 4, "SELECT executions": 2, "SELECT events": 1}


def test_paths_from_memory(loaded):
    request = lineage_pb2.FindPathsRequest()
    request.source.kind = request.target.kind = lineage_pb2.ARTIFACT
    request.source.id, request.target.id = 1, WIDTH + 2
    with counted() as texts:
        answer = lineage_pb2.FindPathsResponse.FromString(loaded.call("FindPaths", request))
    assert len(answer.paths) == 1
    # Two ends, the last event, the nodes of the path.
    assert kinds(texts) == {"SELECT artifacts": 3, "SELECT executions": 1, "SELECT events": 1}


def test_a_query_as_of_a_time_reads_the_database(loaded):
    request = lineage_pb2.SummarizeRequest(walk=walk())
    request.walk.as_of.recorded_by_microseconds = 2**60
    with counted() as texts:
        loaded.call("Summarize", request)
    assert kinds(texts)["SELECT events"] == 5


def test_the_log_is_read_through_its_key(engine):
    dialect = engine._database._driver.dialect
    for statement, values in (
        (event_log._FROM, {"first": 1, "most": 5}),
        (event_log._LAST, {"last": 5}),
    ):
        plan = " ".join(explained(engine, *statement.render(dialect, values)))
        assert "SEARCH events USING INTEGER PRIMARY KEY" in plan
        assert "TEMP B-TREE" not in plan


TYPES = (3, 4)


@pytest.mark.parametrize("kind", [ARTIFACT, EXECUTION])
@pytest.mark.parametrize("bound", [None, *lineage.BOUNDS])
def test_events_are_read_in_the_order_of_an_index(engine, kind, bound):
    dialect = engine._database._driver.dialect
    many = lineage._events_of(kind, TYPES, bound, with_bodies=True)
    [(statement, values)] = many.chunks(range(1, 100))
    behind = lineage._events_behind(kind, TYPES, bound, with_bodies=True)
    values |= {"most": 10, "as_of": 1, "at_near": 1, "at_far": 1, "at_type": 1}
    for one in (statement, behind):
        plan = " ".join(explained(engine, *one.render(dialect, values)))
        assert "SEARCH events USING INDEX" in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("kind", [ARTIFACT, EXECUTION])
def test_a_closure_is_found_through_indexes(engine, kind):
    dialect = engine._database._driver.dialect
    statement = lineage._closure(kind, TYPES, TYPES, None)
    [(part, values)] = statement.chunks([1, 2])
    plan = explained(engine, *part.render(dialect, values | {"most": 10}))
    assert sum("USING COVERING INDEX" in line for line in plan) == 2
    assert not any(line.startswith("SCAN events") for line in plan)


@pytest.mark.parametrize("dialect", [postgresql.dialect(), mysql.dialect()], ids=lambda d: d.name)
def test_the_statements_compile_for_other_databases(dialect):
    selection = (ARTIFACT, TYPES, "recorded_at")
    many = lineage._events_of(*selection, with_bodies=True)
    closure = lineage._closure(ARTIFACT, TYPES, None, "recorded_at")
    for statement in (many, closure):
        [(part, values)] = statement.chunks([1, 2, 3])
        text, _ = part.render(dialect, values | {"most": 10, "as_of": 1})
        assert "LIMIT" in text
    behind = lineage._events_behind(*selection, with_bodies=False)
    values = {"most": 10, "as_of": 1, "at_near": 1, "at_far": 1, "at_type": 1}
    assert "LIMIT" in behind.render(dialect, values)[0]


def explained(engine, text, arguments) -> list[str]:
    with closing(sqlite3.connect(engine._database._driver.path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", arguments).fetchall()
    return [row[3] for row in rows]
