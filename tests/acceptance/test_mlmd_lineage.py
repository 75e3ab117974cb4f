"""get_lineage_subgraph answers the same graph to the real client and to ours."""

import json
from pathlib import Path

from tests.acceptance.mlmd_servers import run, serving


def test_both_clients_get_the_same_graph_from_the_real_core(tmp_path: Path) -> None:
    with serving("real core", tmp_path) as address:
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
        assert [found["name"] for found in ours.pop(lossy).get("contextTypes", [])] == ["Run"]
    assert ours == real


def answers(module: str, address: str, *args: str) -> dict[str, dict[str, list[object]]]:
    command = ("mlmd_lineage_calls.py", "--module", module, "--grpc", address, *args)
    return json.loads(run(module, *command))  # type: ignore[no-any-return]
