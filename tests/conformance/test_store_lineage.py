"""Lineage in the Python API, over an embedded engine and over a real server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import (
    Artifact,
    ArtifactType,
    Event,
    EventType,
    Execution,
    ExecutionType,
    LineageStore,
    connect,
    errors,
)
from lineage_store.lineage.identity import key_of

T0 = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["embedded", "grpc"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    database = f"sqlite:///{tmp_path / 'lineage.db'}"
    if request.param == "embedded":
        with connect(database) as opened:
            yield filled(opened)
        return
    server = Server(Settings(database=database, grpc="127.0.0.1:0", drain_seconds=0))
    server.start()
    try:
        with connect(f"grpc://{server.address}") as opened:
            yield filled(opened)
    finally:
        server.stop()


def filled(store: LineageStore) -> LineageStore:
    """Fill a store: raw → Clean → table → Train → m1, raw and table → Train → m2 → Deploy.

    An event happens each minute from T0 on.
    """
    store.put_artifact_type(ArtifactType(name="Data", properties={"sha256": str}))
    store.put_artifact_type(ArtifactType(name="Net", base_type="mlmd.Model"))
    for name in ("Clean", "Train", "Deploy"):
        store.put_execution_type(ExecutionType(name=name, properties={"parameters": dict}))
    raw = Artifact(type="Data", name="raw", uri="s3://raw", properties={"sha256": "aa"})
    table = Artifact(type="Data", name="table", uri="s3://table")
    models = [Artifact(type="Net", name=name) for name in ("m1", "m2")]
    trains = [Execution(type="Train", properties={"parameters": {"depth": at}}) for at in (6, 8)]
    steps = [Execution(type="Clean"), *trains, Execution(type="Deploy", name="d")]
    flows = [(0, 0, "in"), (0, 1, "out"), (1, 1, "table"), (1, 2, "model"), (2, 0, "raw")]
    flows += [(2, 1, "table"), (2, 3, "model"), (3, 3, "model")]
    outputs = {"out", "model"}
    events = [
        (step, artifact, _event(at, path in outputs and step != 3, path))
        for at, (step, artifact, path) in enumerate(flows)
    ]
    store.put_subgraph(executions=steps, artifacts=[raw, table, *models], events=events)
    return store


def _event(at: int, is_output: bool, path: str) -> Event:
    moment = T0 + timedelta(minutes=at)
    return Event(
        type=EventType.OUTPUT if is_output else EventType.INPUT,
        path=(path, 0),
        time=int(moment.timestamp() * 1000),
    )


def named(nodes: Any) -> list[str]:
    """Return the names by which people call nodes, sorted."""
    return sorted(node.name or node.type for node in nodes)


def test_upstream(store: LineageStore) -> None:
    model = store.get_artifact(type="Net", name="m1")
    lineage = store.lineage(model).upstream()
    assert lineage.verdict.complete
    assert (lineage.verdict.node_count, lineage.verdict.event_count) == (5, 4)
    assert [(node.name or node.type, lineage.hop(node)) for node in lineage.nodes] == [
        ("m1", 0),
        ("Train", 1),
        ("table", 2),
        ("Clean", 3),
        ("raw", 4),
    ]
    assert lineage.nodes[0] == model
    assert named(lineage.roots()) == ["raw"]
    assert sorted(event.path[0] for event in lineage.edges) == ["in", "model", "out", "table"]
    assert len(str(lineage).splitlines()) == 5


def test_downstream_and_both(store: LineageStore) -> None:
    down = store.lineage(type="Data", name="table").downstream()
    assert named(down.nodes) == ["Train", "Train", "d", "m1", "m2", "table"]
    everything = store.lineage(type="Data", name="table").both()
    assert len(everything) == 8
    assert len(everything.edges) == 8


def test_ways_to_say_where_to_begin(store: LineageStore) -> None:
    model = store.get_artifact(type="Net", name="m1")
    model_id = model.id or 0
    train = store.list_events(artifact=model)[0].execution_id or 0
    expected = named(store.lineage(model).upstream().nodes)
    ways: list[dict[str, Any]] = [
        {"start": f"artifact:{model_id}"},
        {"start": [model]},
        {"artifact": model_id},
        {"artifact": [model_id]},
        {"where": "name = 'm1'"},
        {"type": "Net", "name": "m1"},
    ]
    assert [named(store.lineage(**way).upstream().nodes) for way in ways] == [expected] * 6
    steps: list[dict[str, Any]] = [
        {"start": store.get_execution(train)},
        {"start": f"execution:{train}"},
        {"execution": train},
    ]
    assert [len(store.lineage(**way).upstream()) for way in steps] == [4, 4, 4]
    assert len(store.lineage(kind="execution", where="name = 'd'").upstream()) == 6
    assert named(store.lineage(uri="s3://raw").upstream().nodes) == ["raw"]
    assert named(store.lineage(type="Net").upstream(hops=0).nodes) == ["m1", "m2"]


def test_what_is_no_beginning(store: LineageStore) -> None:
    model = store.get_artifact(type="Net", name="m1")
    wrong: list[dict[str, Any]] = [
        {},
        {"start": []},
        {"start": model, "artifact": 1},
        {"name": "m1"},
        {"start": "model"},
        {"start": Artifact(type="Net")},
        {"start": [model, "execution:1"]},
        {"artifact": []},
        {"type": "Net", "kind": "context"},
        {"where": "nonsense ="},
    ]
    for way in wrong:
        with pytest.raises(errors.InvalidArgument):
            store.lineage(**way).upstream()
    for no_start in ({"artifact": 9999}, {"type": "Net", "name": "no"}, {"uri": "s3://no"}):
        with pytest.raises(errors.NotFound):
            store.lineage(**no_start).upstream()


def test_hops_and_stops(store: LineageStore) -> None:
    query = store.lineage(type="Net", name="m2")
    near = query.upstream(hops=2)
    assert named(near.nodes) == ["Train", "m2", "raw", "table"]
    assert (near.verdict.complete, near.verdict.reason) == (False, "MAX_HOPS")
    assert near.verdict.frontier == (key_of(store.get_artifact(type="Data", name="table")),)
    assert not near.verdict.by_server
    stopped = query.upstream(stop="name = 'table'")
    assert stopped.verdict.complete
    assert named(stopped.nodes) == ["Train", "m2", "raw", "table"]
    assert named(query.upstream(stop="name = 'table'", keep_stops=False).nodes) == [
        "Train",
        "m2",
        "raw",
    ]
    by_step = query.upstream(stop={"execution": "type = 'Clean'"}, keep_stops=False)
    assert named(by_step.nodes) == ["Train", "m2", "raw", "table"]
    with pytest.raises(errors.InvalidArgument):
        query.upstream(stop={"context": "id = 1"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="a walk has no option depth"):
        query.upstream(depth=1)  # type: ignore[call-arg]


def test_only_some_types(store: LineageStore) -> None:
    query = store.lineage(type="Data", name="raw")
    assert named(query.downstream(execution_types=["Train"]).nodes) == ["Train", "m2", "raw"]
    assert named(query.downstream(artifact_types=["Data"]).artifacts) == ["raw", "table"]
    assert len(query.downstream(event_types=["INPUT"])) == 3
    assert len(query.downstream(event_types=[EventType.INPUT, EventType.OUTPUT])) == 8
    for wrong in ({"event_types": ["READ"]}, {"event_types": "INPUT"}, {"artifact_types": "Data"}):
        with pytest.raises(errors.InvalidArgument):
            query.downstream(**wrong)  # type: ignore[arg-type]


def test_ids_alone(store: LineageStore) -> None:
    lineage = store.lineage(type="Net", name="m1").upstream(ids_only=True)
    assert len(lineage) == 5
    assert {node.type for node in lineage.nodes} == {None}


def test_a_budget_cuts_and_the_rest_can_follow(store: LineageStore) -> None:
    query = store.lineage(type="Net", name="m2")
    whole, lineage = query.upstream(), query.upstream(max_nodes=2)
    assert (lineage.verdict.reason, lineage.verdict.by_server) == ("MAX_NODES", False)
    assert len(lineage) == 2
    assert str(lineage).splitlines()[-1].startswith("NOT COMPLETE: the limit of nodes was reached")
    while not lineage.verdict.complete:
        lineage = query.upstream(max_nodes=2, resume=lineage)
    assert set(lineage.edges) == set(whole.edges)
    assert lineage.hops == whole.hops
    with pytest.raises(errors.InvalidArgument, match="has no token"):
        query.upstream(resume=lineage)
    for wrong in ({"max_nodes": 0}, {"max_bytes": -1}, {"timeout": 0}):
        with pytest.raises(errors.InvalidArgument):
            query.upstream(**wrong)  # type: ignore[arg-type]


def test_a_limit_of_the_server_is_told(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'lineage.db'}"
    settings = Settings(database=database, grpc="127.0.0.1:0", max_lineage_nodes=3)
    server = Server(settings)
    server.start()
    try:
        with connect(f"grpc://{server.address}") as opened:
            query = filled(opened).lineage(type="Net", name="m1")
            lineage = query.upstream()
            rest = query.upstream(resume=lineage)
    finally:
        server.stop()
    assert (lineage.verdict.reason, lineage.verdict.by_server) == ("MAX_NODES", True)
    assert "the limit of nodes of the server was reached" in str(lineage)
    assert (len(rest), rest.verdict.complete) == (5, True)


def test_parts_come_nearest_first(store: LineageStore) -> None:
    query = store.lineage(type="Net", name="m2")
    parts = list(query.iter_parts("upstream"))
    hops = [part.hop for part in parts if part.nodes]
    assert hops == sorted(hops)
    assert [part.verdict is not None for part in parts] == [False] * (len(parts) - 1) + [True]
    assert sum(len(part.nodes) for part in parts) == len(query.upstream())
    with pytest.raises(errors.InvalidArgument, match="is not one of upstream"):
        query.iter_parts("sideways")


def test_as_of(store: LineageStore) -> None:
    query = store.lineage(type="Data", name="raw")
    then = T0 + timedelta(minutes=3, seconds=30)
    assert named(query.downstream(as_of=then).nodes) == ["Clean", "Train", "m1", "raw", "table"]
    with pytest.raises(errors.NotFound, match="nothing was known then"):
        query.downstream(recorded_as_of=then)
    raw = store.artifacts.get("Data/raw")
    with pytest.raises(errors.NotFound, match=f"not known then: artifact {raw.id}"):
        store.lineage(raw).downstream(recorded_as_of=then)
    assert len(query.downstream(recorded_as_of=datetime.now(UTC))) == 8
    with pytest.raises(errors.InvalidArgument, match="time zone"):
        query.downstream(as_of=then.replace(tzinfo=None))
    with pytest.raises(errors.InvalidArgument, match="not both"):
        query.downstream(as_of=then, recorded_as_of=then)


def test_paths(store: LineageStore) -> None:
    raw = store.get_artifact(type="Data", name="raw")
    model = store.get_artifact(type="Net", name="m2")
    answer = store.find_paths(raw, model)
    assert [[node.name or node.type for node in path.nodes] for path in answer] == [
        ["raw", "Train", "m2"],
        ["raw", "Clean", "table", "Train", "m2"],
    ]
    assert [event.path[0] for event in answer.paths[0].edges] == ["raw", "model"]
    assert answer.verdict.complete
    assert len(store.find_paths(raw, key_of(model), shortest_only=True)) == 1
    one = store.find_paths(raw, model, max_paths=1)
    assert (len(one), one.verdict.reason, one.verdict.by_server) == (1, "MAX_PATHS", False)
    assert not store.find_paths(model, raw).paths
    assert len(store.find_paths(model, raw, direction="upstream", hops=2)) == 1
    with pytest.raises(errors.NotFound):
        store.find_paths("artifact:9999", raw)


def test_summary(store: LineageStore) -> None:
    raw = store.get_artifact(type="Data", name="raw")
    summary = store.summarize_lineage(raw, "downstream")
    assert summary.by_type() == {
        ("artifact", "Data"): 2,
        ("artifact", "Net"): 2,
        ("execution", "Clean"): 1,
        ("execution", "Deploy"): 1,
        ("execution", "Train"): 2,
    }
    assert summary.events == {EventType.INPUT: 5, EventType.OUTPUT: 3}
    assert summary.verdict.complete
    near = store.lineage(raw).summarize("downstream", hops=1)
    assert [(count.type, count.hop, count.count) for count in near.nodes] == [
        ("Data", 0, 1),
        ("Clean", 1, 1),
        ("Train", 1, 1),
    ]


def test_impact_knows_models_by_their_base_type(store: LineageStore) -> None:
    impact = store.impact(store.get_artifact(type="Data", name="raw"))
    assert (named(impact.models), named(impact.artifacts)) == (["m1", "m2"], ["table"])
    assert named(impact.executions) == ["Clean", "Train", "Train", "d"]
    assert impact.verdict.complete


def test_compare(store: LineageStore) -> None:
    models = [store.get_artifact(type="Net", name=name) for name in ("m1", "m2")]
    comparison = store.compare(*models)
    assert [(d.aspect, d.subject, d.name, d.left, d.right) for d in comparison.differences] == [
        ("DATA", "Data raw", "present", None, f"Data raw  sha256:aa  ({_raw_key(store)})"),
        ("PARAMETERS", "Train", "parameters.depth", "6", "8"),
    ]
    assert (comparison.shared_artifacts, comparison.shared_executions) == (2, 1)
    lineages = [store.lineage(model).upstream() for model in models]
    mine = lineages[0].compare(lineages[1])
    assert mine.differences == comparison.differences
    with pytest.raises(errors.NotFound, match="not known then: artifact"):
        store.compare(*models, as_of=T0)
    cut = store.compare(models[0].id or 0, models[1].id or 0, max_nodes=2)
    assert not cut.complete
    assert cut.left_verdict.reason == "MAX_NODES"
    with pytest.raises(errors.NotFound):
        store.compare(models[0], 9999)


def _raw_key(store: LineageStore) -> str:
    return key_of(store.get_artifact(type="Data", name="raw"))


def test_listings_take_a_filter(store: LineageStore) -> None:
    assert named(store.list_artifacts(where="uri LIKE 's3://%'")) == ["raw", "table"]
    assert named(store.iter_artifacts(type="Data", where="name = 'raw'")) == ["raw"]
    assert named(store.iter_executions(where="type = 'Train' AND id > 0")) == ["Train", "Train"]
    with pytest.raises(errors.InvalidArgument):
        store.list_contexts(where="nonsense")


def test_a_budget_may_cut_the_start(store: LineageStore) -> None:
    query = store.lineage(type="Net")
    lineage = query.upstream(max_nodes=1)
    assert len(lineage.start) == 1
    rest = query.upstream(resume=lineage)
    assert (len(rest.start), len(rest)) == (2, 7)
