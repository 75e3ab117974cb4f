"""GetLineageSubgraph, and GetLineageGraph, which ML Metadata declares and never serves."""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

INPUT, OUTPUT = pb.Event.INPUT, pb.Event.OUTPUT
UPSTREAM, DOWNSTREAM, BOTH = 1, 2, 3
SYSTEM_TYPES = {
    "artifact": ["mlmd.Dataset", "mlmd.Model", "mlmd.Metrics", "mlmd.Statistics"],
    "execution": ["mlmd.Train", "mlmd.Transform", "mlmd.Process", "mlmd.Evaluate", "mlmd.Deploy"],
    "context": [],
}


def event(artifact, execution, event_type):
    return {"artifact_id": artifact, "execution_id": execution, "type": event_type}


@pytest.fixture
def chain(call):
    """a1 -> e1 -> a2 -> e2 -> a3, e2 also reads and writes a4; a2 and e1 are in the context c."""
    a = call.put("artifact", *[{"type_id": call.type(), "name": f"a{i}"} for i in (1, 2, 3, 4)])
    executions = [{"type_id": call.type("execution"), "name": f"e{i}"} for i in (1, 2)]
    e = call.put("execution", *executions)
    events = [
        event(a[0], e[0], INPUT),
        event(a[1], e[0], OUTPUT),
        event(a[1], e[1], INPUT),
        event(a[2], e[1], OUTPUT),
        event(a[3], e[1], INPUT),
        event(a[3], e[1], OUTPUT),
    ]
    call("PutEvents", events=events)
    [c, _] = call.contexts("c", "other")
    call(
        "PutAttributionsAndAssociations",
        attributions=[{"artifact_id": a[1], "context_id": c}],
        associations=[{"execution_id": e[0], "context_id": c}],
    )
    return call


def subgraph(call, start="name = 'a2'", mask=(), kind="artifact", **options):
    query = {f"starting_{kind}s": {"filter_query": start}, **options}
    answer = call(
        "GetLineageSubgraph", lineage_subgraph_query_options=query, read_mask={"paths": mask}
    )
    return answer.lineage_subgraph


def names(graph):
    """Nodes by number: "a1 e1"; the fixture numbers them as their ids."""
    return " ".join(
        [f"a{node.id}" for node in graph.artifacts] + [f"e{node.id}" for node in graph.executions]
    )


def edges(graph):
    return [(e.artifact_id, e.execution_id, e.type) for e in graph.events]


@pytest.mark.parametrize(
    ("direction", "nodes", "count"),
    [
        (UPSTREAM, "a1 a2 e1", 2),
        (DOWNSTREAM, "a2 a3 a4 e2", 4),
        (BOTH, "a1 a2 a3 a4 e1 e2", 6),
        (0, "a1 a2 a3 a4 e1 e2", 6),
    ],
)
def test_directions(chain, direction, nodes, count):
    graph = subgraph(chain, direction=direction)
    assert names(graph) == nodes
    assert len(graph.events) == len(set(edges(graph))) == count


@pytest.mark.parametrize(
    ("hops", "nodes", "count"),
    [
        (0, "a2", 0),
        (1, "a2 e1 e2", 2),
        (2, "a1 a2 a3 a4 e1 e2", 6),
        (None, "a1 a2 a3 a4 e1 e2", 6),
        (2**40, "a1 a2 a3 a4 e1 e2", 6),
    ],
)
def test_hops(chain, hops, nodes, count):
    graph = subgraph(chain, **({} if hops is None else {"max_num_hops": hops}))
    assert names(graph) == nodes
    assert len(graph.events) == count


def test_nodes_have_their_id_alone_and_edges_are_whole(chain):
    graph = subgraph(chain, "name = 'e1'", kind="execution", max_num_hops=1)
    assert [node.ListFields()[0][1] for node in graph.artifacts] == [1, 2]
    for nodes in (graph.artifacts, graph.executions, graph.contexts):
        assert all([f.name for f, _ in node.ListFields()] == ["id"] for node in nodes)
    assert all(e.HasField("milliseconds_since_epoch") for e in graph.events)
    assert [(a.artifact_id, a.context_id) for a in graph.attributions] == [(2, 1)]
    assert [(a.execution_id, a.context_id) for a in graph.associations] == [(1, 1)]
    assert [context.id for context in graph.contexts] == [1]
    assert not graph.parent_contexts


def test_all_types_of_the_store_come_without_their_base_types(chain, kind):
    if kind != "context":
        chain.type(kind, "unused", base_type=1)
    graph = subgraph(chain, "name = 'a1'", max_num_hops=0)
    types = getattr(graph, f"{kind}_types")
    unused = [] if kind == "context" else ["unused"]
    assert [t.name for t in types] == [*SYSTEM_TYPES[kind], "T", *unused]
    assert kind == "context" or not any(t.HasField("base_type") for t in types)


@pytest.mark.parametrize(
    ("mask", "fields"),
    [
        (["artifacts"], ["artifacts"]),
        (["events", "contexts"], ["contexts", "events"]),
        (["attributions", "associations"], ["attributions", "associations"]),
        (["artifact_types", "artifact_types"], ["artifact_types"]),
        (["nothing", "artifacts.id", "lineage_subgraph.artifacts"], []),
    ],
)
def test_the_mask(chain, mask, fields):
    graph = subgraph(chain, mask=mask)
    assert sorted(field.name for field, _ in graph.ListFields()) == sorted(fields)


def ending(query, *, included):
    return {"filter_query": query, "include_ending_nodes": included}


@pytest.mark.parametrize(
    ("kind", "query", "included", "nodes", "count"),
    [
        ("execution", "name = 'e2'", False, "a1 a2 e1", 2),
        ("execution", "name = 'e2'", True, "a1 a2 e1 e2", 3),
        ("execution", "", False, "a2", 0),
        ("execution", "", True, "a2 e1 e2", 2),
        ("artifact", "name = 'a2'", False, "", 0),
        ("artifact", "name = 'a2'", True, "a2", 0),
        ("artifact", "name = 'a4'", False, "a1 a2 a3 e1 e2", 4),
        ("artifact", "name = 'a4'", True, "a1 a2 a3 a4 e1 e2", 6),
        ("artifact", "name = 'no such name'", False, "a1 a2 a3 a4 e1 e2", 6),
    ],
)
def test_ending_nodes(chain, kind, query, included, nodes, count):
    graph = subgraph(chain, **{f"ending_{kind}s": ending(query, included=included)})
    assert names(graph) == nodes
    assert len(graph.events) == count


def test_ending_nodes_without_a_filter_end_nothing(chain):
    graph = subgraph(chain, ending_executions={"include_ending_nodes": True})
    assert names(graph) == "a1 a2 a3 a4 e1 e2"


def test_an_ending_node_keeps_the_events_that_lead_there_from_both_sides(call):
    t = call.type()
    a = call.put("artifact", *[{"type_id": t, "name": f"a{i}"} for i in (1, 2)])
    [e] = call.put("execution", {"type_id": call.type("execution"), "name": "e"})
    call("PutEvents", events=[event(a[0], e, INPUT), event(a[1], e, INPUT)])
    graph = subgraph(call, "name LIKE 'a%'", ending_executions=ending("name = 'e'", included=True))
    assert names(graph) == "a1 a2 e1"
    assert len(graph.events) == 2


def test_no_starting_node_is_dropped(call):
    t = call.type()
    call.put("artifact", *[{"type_id": t, "uri": "u"}] * 250)
    assert len(subgraph(call, "uri = 'u'").artifacts) == 250


def test_no_hop_is_dropped(call):
    artifacts = call.put(
        "artifact", *[{"type_id": call.type(), "name": f"n{i}"} for i in range(80)]
    )
    executions = call.put("execution", *[{"type_id": call.type("execution")}] * 80)
    events = [event(a, e, INPUT) for a, e in zip(artifacts, executions, strict=True)]
    events += [event(a, e, OUTPUT) for a, e in zip(artifacts[1:], executions, strict=False)]
    call("PutEvents", events=events)
    for hops in ({}, {"max_num_hops": 159}):
        graph = subgraph(call, "name = 'n0'", **hops)
        assert (len(graph.artifacts), len(graph.executions)) == (80, 80)
    assert len(subgraph(call, "name = 'n0'", max_num_hops=120).artifacts) == 61


def test_what_is_refused(chain):
    with chain.refused(errors.InvalidArgument, "starting_artifacts or starting_executions"):
        chain("GetLineageSubgraph")
    for kind in ("artifact", "execution"):
        with chain.refused(errors.InvalidArgument, "filter_query must not be empty"):
            subgraph(chain, "", kind=kind)
        with chain.refused(errors.NotFound):
            subgraph(chain, "name = 'nope'", kind=kind)
        with chain.refused(errors.InvalidArgument, "starting_"):
            subgraph(chain, "this is no filter", kind=kind)
        with chain.refused(errors.InvalidArgument, f"ending_{kind}s"):
            subgraph(chain, **{f"ending_{kind}s": ending("nor is this", included=True)})
    with chain.refused(errors.InvalidArgument, "max_num_hops"):
        subgraph(chain, max_num_hops=-1)


def lineage_graph(call, **options):
    return call("GetLineageGraph", options={"artifacts_options": {}, **options}).subgraph


def test_the_deprecated_graph_has_whole_nodes_and_no_system_types(chain):
    graph = lineage_graph(chain)
    assert [node.name for node in graph.artifacts] == ["a1", "a2", "a3", "a4"]
    assert [node.name for node in graph.executions] == ["e1", "e2"]
    assert all(node.type == "T" for node in [*graph.artifacts, *graph.executions])
    assert len(graph.events) == 6
    types = [*graph.artifact_types, *graph.execution_types, *graph.context_types]
    assert [t.name for t in types] == ["T", "T", "T"]


def test_the_deprecated_graph_starts_from_a_page(chain):
    listing = {"max_result_size": 1, "order_by_field": {"is_asc": False}}
    stop = {"max_num_hops": 1}
    graph = lineage_graph(chain, artifacts_options=listing, stop_conditions=stop)
    assert names(graph) == "a4 e2"
    filtered = {"filter_query": "name = 'a1'"}
    graph = lineage_graph(chain, artifacts_options=filtered, stop_conditions=stop)
    assert names(graph) == "a1 e1"


def test_the_deprecated_graph_keeps_what_matches_its_boundaries(chain):
    start = {"filter_query": "name = 'a1'"}

    def remaining(**stop):
        return names(lineage_graph(chain, artifacts_options=start, stop_conditions=stop))

    assert remaining(boundary_executions="name = 'e1'") == "a1 a2 e1"
    assert remaining(boundary_artifacts="name = 'a2'") == "a1 a2 e1 e2"
    assert remaining(boundary_artifacts="name = 'a4'") == "a1 e1"


def test_the_deprecated_graph_keeps_the_nearest_nodes(chain):
    start = {"filter_query": "name = 'a1'"}

    def nearest(most):
        return names(lineage_graph(chain, artifacts_options=start, max_node_size=most))

    assert nearest(1) == "a1"
    assert nearest(3) == "a1 a2 e1"
    assert nearest(5) == "a1 a2 a3 e1 e2"
    assert nearest(0) == nearest(-1) == nearest(6) == "a1 a2 a3 a4 e1 e2"
    graph = lineage_graph(chain, artifacts_options=start, max_node_size=5)
    assert edges(graph) == [(1, 1, INPUT), (2, 1, OUTPUT), (2, 2, INPUT), (3, 2, OUTPUT)]


def test_the_deprecated_graph_has_twenty_nodes_unless_told(call):
    call.put("artifact", *[{"type_id": call.type()}] * 30)
    listing = {"max_result_size": 25}
    assert len(lineage_graph(call, artifacts_options=listing).artifacts) == 20
    graph = lineage_graph(call, artifacts_options=listing, max_node_size=0)
    assert len(graph.artifacts) == 25


def test_what_the_deprecated_graph_refuses(chain):
    with chain.refused(errors.InvalidArgument, "artifacts_options"):
        chain("GetLineageGraph")
    with chain.refused(errors.InvalidArgument, "max_num_hops"):
        lineage_graph(chain, stop_conditions={"max_num_hops": -1})
    with chain.refused(errors.InvalidArgument, "boundary_artifacts"):
        lineage_graph(chain, stop_conditions={"boundary_artifacts": "no filter"})
    with chain.refused(errors.NotFound):
        lineage_graph(chain, artifacts_options={"filter_query": "name = 'nope'"})
