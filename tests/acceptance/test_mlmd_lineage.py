"""get_lineage_subgraph answers the same graph to the real client and to ours, from either store."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mlmd_servers import SERVERS, run, serving

Graph = dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize("server", SERVERS)
def test_both_clients_get_the_same_graph(server: str, tmp_path: Path) -> None:
    with serving(server, tmp_path) as address:
        real = answers("ml_metadata", address, "--record")
        ours = answers("lineage_store.mlmd", address)
    assert set(real["20 None"]) == {
        *("artifacts", "executions", "contexts"),
        *("artifactTypes", "executionTypes", "contextTypes"),
        *("events", "attributions", "associations"),
    }
    # The real client loses the types that it is asked for without their nodes; ours finds them.
    for hops in (0, 1, 20):
        lossy = f"{hops} ['attributions', 'associations', 'context_types']"
        assert "contextTypes" not in real.pop(lossy)
        assert [
            context_type["name"] for context_type in ours.pop(lossy).get("contextTypes", [])
        ] == ["Run"]
    assert ours == real


@pytest.mark.parametrize("module", ["ml_metadata", "lineage_store.mlmd"])
def test_both_stores_answer_the_same_graph(module: str, tmp_path: Path) -> None:
    graphs = []
    for server in SERVERS:
        with serving(server, tmp_path) as address:
            graphs.append(answers(module, address, "--record"))
    real, ours = ({key: timeless(graph) for key, graph in one.items()} for one in graphs)
    assert ours == real


def timeless(graph: Graph) -> Graph:
    return {
        name: [
            {key: value for key, value in part.items() if not key.endswith("SinceEpoch")}
            for part in parts
        ]
        for name, parts in graph.items()
    }


def answers(module: str, address: str, *args: str) -> dict[str, Graph]:
    command = ("mlmd/mlmd_lineage_calls.py", "--module", module, "--grpc", address, *args)
    return json.loads(run(module, *command))  # type: ignore[no-any-return]
